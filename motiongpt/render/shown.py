"""What is shown beside others: a motion, whose it is, and what is said of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from motiongpt.errors import UserError
from motiongpt.motion.contacts import runs
from motiongpt.motion.sequence import MotionSequence


@dataclass(frozen=True)
class Shown:
    """A motion beside others.

    Attributes:
        name: whose it is: "real", a method's name.
        caption: None for the motion's first.
        given: (first, past the last) frames that a method was given; None for the motion's own.
        group: of a page; clips of one group in a row stand together, under this heading.
    """

    motion: MotionSequence
    name: str = ""
    caption: str | None = None
    given: Sequence[tuple[int, int]] | None = None
    group: str = ""

    @property
    def words(self) -> str:
        """The caption; empty where there is none."""
        if self.caption is not None:
            return self.caption
        return self.motion.captions[0] if self.motion.captions else ""

    def given_runs(self) -> list[tuple[int, int]]:
        """Stretches of frames that were given.

        Raises:
            UserError: some that the motion does not have.
        """
        if self.given is None:
            return runs(self.motion.given)
        frames = self.motion.frames
        for first, last in self.given:
            if not 0 <= first < last <= frames:
                raise UserError(
                    f"{self.name or 'motion'}: given frames {first} to {last} of {frames}; "
                    "expected 0 <= first < last <= frames"
                )
        return [(int(first), int(last)) for first, last in self.given]
