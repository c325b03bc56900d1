"""What a launcher is given to do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from launch.plans.graph import Planned


@dataclass(frozen=True)
class Work:
    """The stages of a sweep.

    Attributes:
        root: of the runs.
        sweep: name of the sweep, to which all jobs of this work belong.
        folder: of the sweep.
        group: name under which loggers show its runs together.
        plan: all its stages, each once, parents before children.
        report: what a job of its own does when all others have ended; can be pickled.
    """

    root: Path
    sweep: str
    folder: Path
    group: str
    plan: Sequence[Planned]
    report: Callable[[], str]

    @property
    def unfinished(self) -> list[Planned]:
        """Stages that have no result yet."""
        return [stage for stage in self.plan if not stage.finished]

    def new_submission(self) -> Path:
        """Folder for what the next submission gives to its jobs, made now."""
        folder = self.folder / "submissions"
        folder.mkdir(parents=True, exist_ok=True)
        number = 1
        while True:
            submission = folder / f"{number:04d}"
            try:
                submission.mkdir()
                return submission
            except FileExistsError:
                number += 1
