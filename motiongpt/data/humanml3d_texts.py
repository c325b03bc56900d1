"""The caption files of HumanML3D: lines of `caption#word/TAG word/TAG …#from#to`, in seconds."""

import math
from dataclasses import dataclass
from pathlib import Path

from motiongpt.data.clip import Caption
from motiongpt.reading import read_text

MOST_SECONDS = 86_400.0  # no clip is a day long


@dataclass(frozen=True)
class Span:
    """The part of a clip that a caption is about, in seconds; both 0 means all of it.

    One that ends before it starts has no frames, so its sub-clip is too short to be used.
    """

    start: float = 0.0
    end: float = 0.0

    @property
    def whole(self) -> bool:
        """Whether it is the whole clip."""
        return self.start == 0 and self.end == 0

    def frames(self, fps: float) -> slice:
        """The frames, as the data set's own code cuts them: both ends rounded down."""
        return slice(int(self.start * fps), int(self.end * fps))

    def __str__(self) -> str:
        return f"{self.start:g}-{self.end:g}"


class MalformedText(ValueError):
    """A caption file that can't be used; the message says which line and why."""


def read_captions(path: Path) -> dict[Span, tuple[Caption, ...]]:
    """Captions of one clip by the span they are about, in the file's order.

    An empty file says nothing of the clip: the whole of it has no captions. Blank lines are
    skipped; `nan` for a time counts as 0, as in the data set's own code.

    Raises:
        MalformedText: the file is missing or not UTF-8, or a line is malformed.
    """
    try:
        return parse_captions(read_text(path, "utf-8-sig"))
    except FileNotFoundError:
        raise MalformedText("text missing") from None
    except (OSError, UnicodeDecodeError) as error:
        raise MalformedText(f"text unreadable: {error}") from error


def parse_captions(text: str) -> dict[Span, tuple[Caption, ...]]:
    """As `read_captions`, of a text already read.

    Raises:
        MalformedText: a line is malformed.
    """
    captions: dict[Span, tuple[Caption, ...]] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            span, caption = _parse(line, number)
            captions[span] = (*captions.get(span, ()), caption)
    return captions or {Span(): ()}


def _parse(line: str, number: int) -> tuple[Span, Caption]:
    parts = line.strip().split("#")
    if len(parts) != 4:
        raise MalformedText(
            f"text malformed: line {number} has {len(parts)} fields, "
            "expected caption#tokens#from#to"
        )
    text, tokens = parts[0].strip(), parts[1].strip()
    if not text:
        raise MalformedText(f"text malformed: line {number} has an empty caption")
    start, end = (_seconds(part, number) for part in parts[2:])
    return Span(start, end), Caption(text, tokens)


def _seconds(text: str, number: int) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if math.isnan(seconds):
        return 0.0
    if not 0 <= seconds <= MOST_SECONDS:
        raise MalformedText(
            f"text malformed: line {number} has {text.strip()[:60]!r} where seconds are expected"
        )
    return seconds
