"""What a file format is: some endings, a few options, and a way to write a motion.

A format is one class in one file of `motiongpt/export/formats`; nothing lists it. Its options are
the fields of its dataclass, so that Python and the command line offer the same ones:

    @dataclass(frozen=True)
    class Glb(Format):
        \"\"\"The free body, skinned and animated, for engines and viewers.\"\"\"

        endings: ClassVar[tuple[str, ...]] = (".glb",)

        weight: float = option(0.0, "the body's build: -1 slim, 1 heavy")

        def write(self, motion: MotionSequence, path: Path) -> None:
            ...

What only writing needs is imported inside `write`: all formats are imported to find one of them,
and to show their options.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar

from motiongpt.errors import UserError
from motiongpt.motion.sequence import MotionSequence
from motiongpt.render.shown import Shown


def option(default: Any, said: str, choices: Sequence[str] = (), least: float | None = None) -> Any:
    """A field of a format.

    Args:
        default: its type (bool, int, float or str) is that of the option.
        said: one line of help.
        choices: the words that it may be; empty for any.
        least: the smallest number that it may be.
    """
    said_of_it = {"said": said, "choices": tuple(choices), "least": least}
    return field(default=default, metadata=said_of_it)


@dataclass(frozen=True)
class Format(ABC):
    """One kind of file; the first line of a subclass's docstring says what it is for.

    Attributes:
        endings: of the files, in lower case, the one that is written first.
        rigid: whether bones of constant length are written where nobody says otherwise; False
            where the file is the motion itself.
    """

    endings: ClassVar[tuple[str, ...]] = ()
    rigid: ClassVar[bool] = True

    @abstractmethod
    def write(self, motion: MotionSequence, path: Path) -> None:
        """Write the file, whole or not at all (see `motiongpt.files`).

        Args:
            motion: with its final joints, frame rate and captions.
            path: its ending is one of `endings`.

        Raises:
            UserError: the motion does not fit the format.
        """

    def write_together(self, motions: Sequence[Shown], path: Path) -> None:
        """Write several motions side by side; `SideBySide` formats can.

        Raises:
            UserError: the format holds one motion, or one of them does not fit it.
        """
        raise UserError(f"{path}: {self.endings[0]} holds one motion; side by side are pictures")

    @classmethod
    def options(cls) -> Mapping[str, Field[Any]]:
        """Name -> field of what can be chosen."""
        return {one.name: one for one in fields(cls)}

    @classmethod
    def of(cls, chosen: Mapping[str, Any]) -> "Format":
        """The format with some options, as values or as words of a command line.

        Raises:
            UserError: an option that the format does not have, or a value that it can't be.
        """
        known = cls.options()
        unknown = sorted(set(chosen) - set(known))
        if unknown:
            offered = f"its options are {', '.join(known)}" if known else "it has no options"
            raise UserError(f"{cls.endings[0]}: no option {', '.join(unknown)}; {offered}")
        return cls(**{name: _value(known[name], given) for name, given in chosen.items()})


class SideBySide(Format):
    """A format for eyes: several motions in one file, with their names."""

    @abstractmethod
    def write_together(self, motions: Sequence[Shown], path: Path) -> None:
        """See `Format.write_together`."""

    def write(self, motion: MotionSequence, path: Path) -> None:
        """See `Format.write`."""
        self.write_together([Shown(motion)], path)


def _value(one: Field[Any], given: Any) -> Any:
    value = as_kind(one.name, given, type(one.default))
    choices = one.metadata["choices"]
    if choices and value not in choices:
        raise UserError(f"{one.name}={value}: choose one of {', '.join(choices)}")
    least = one.metadata["least"]
    if least is not None and not value >= least:
        raise UserError(f"{one.name}={value}: expected {least:g} or more")
    return value


def as_kind(name: str, given: Any, kind: type) -> Any:
    """`given`, perhaps a word of a command line, as a bool, int, float or str.

    Raises:
        UserError: it can't be one.
    """
    if kind is bool:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        found = words.get(str(given).lower())
        if found is None:
            raise UserError(f"{name}={given}: expected true or false")
        return found
    try:
        return kind(given)
    except (TypeError, ValueError):
        expected = {int: "a whole number", float: "a number"}.get(kind, "a word")
        raise UserError(f"{name}={given}: expected {expected}") from None
