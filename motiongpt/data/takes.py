"""A take, which is one motion file, as the clips that its captions and its length make of it.

Shape letters: T frames.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from motiongpt.data.caption_file import CaptionLine
from motiongpt.data.clip import BadClip, Caption, Clip
from motiongpt.errors import UserError

Span = tuple[float | None, float | None]
WHOLE: Span = (None, None)
# Of the longest clip: so much of a take is rather left out than cut into two halves.
SPARE = 0.05


@dataclass(frozen=True)
class Cutting:
    """How takes become clips.

    Attributes:
        fps: of the joints.
        min_frames, max_frames: fewest and most feature rows of a clip; a clip has one frame more.
        overlap: seconds that neighbours of a long take share.
    """

    fps: float
    min_frames: int
    max_frames: int
    overlap: float = 0.0

    def __post_init__(self) -> None:
        if not 1 <= self.min_frames <= self.max_frames:
            raise UserError(
                f"data.source.min_frames={self.min_frames}, max_frames={self.max_frames}: expected "
                "at least 1, and no fewer at most than at least"
            )
        if not 0 <= self.overlap * self.fps <= self.max_frames / 2:
            raise UserError(
                f"data.source.overlap={self.overlap:g}: expected 0 to "
                f"{self.max_frames / 2 / self.fps:g} seconds, half of the longest clip"
            )

    def windows(self, rows: int) -> list[tuple[int, int]]:
        """First and last frame of each clip of a take of `rows` + 1 frames: as few as can be, of
        one length. What is hardly too long, as ten seconds are, loses its end instead.
        """
        if self.max_frames < rows <= (1 + SPARE) * self.max_frames:
            return [(0, self.max_frames)]
        shared = round(self.overlap * self.fps)
        count = math.ceil((rows - shared) / (self.max_frames - shared))
        if count <= 1:
            return [(0, rows)]
        length = math.ceil((rows + (count - 1) * shared) / count)
        starts = np.linspace(0, rows - length, count).round().astype(int)
        return [(int(start), int(start) + length) for start in starts]


@dataclass(frozen=True)
class Take:
    """One file.

    Attributes:
        name: of its clips, or what their names begin with.
        split: of all of them, so that no moment of a take is in two splits.
        given: whether the captions file says the split.
        clips: of it.
        cut: whether it was too long, or a part of it.
    """

    name: str
    split: str
    given: bool
    clips: tuple[Clip | BadClip, ...]
    cut: bool = False

    @property
    def usable(self) -> bool:
        """Whether any clip is one."""
        return any(isinstance(clip, Clip) for clip in self.clips)


def clips_of_take(
    name: str,
    split: str,
    lines: Sequence[CaptionLine],
    joints: np.ndarray,
    skipped: float,
    cutting: Cutting,
) -> Iterator[Clip | BadClip]:
    """The clips of a take: one for each span that its captions name, cut where it is too long.

    A file that is one clip keeps its name; other clips are called by their seconds in the file, as
    `take__12.5-20s`.

    Args:
        lines: of the captions file; none for a take without words.
        joints: (T, 22, 3) float32 metres at the cutting's rate.
        skipped: seconds of the file before the first frame.
    """
    for span, of_span in _by_span(lines).items():
        frames = _frames(span, skipped, len(joints) - 1, cutting.fps)
        if isinstance(frames, str):
            yield BadClip(f"{name}__{_spelled(span)}", f"{frames} (line {of_span[0].number})")
            continue
        first, last = frames
        rows = last - first
        if rows < cutting.min_frames:
            yield BadClip(
                name if span == WHOLE else f"{name}__{_spelled(span)}",
                f"too short: {max(rows, 0)} frames at {cutting.fps:g} fps, at least "
                f"{cutting.min_frames} are needed",
            )
            continue
        windows = cutting.windows(rows)
        for start, end in windows:
            seconds = tuple((first + at) / cutting.fps + skipped for at in (start, end))
            alone = len(windows) == 1
            whole = alone and span == WHOLE
            shown = _spelled(span if alone else (seconds[0], seconds[1]))
            yield Clip(
                name=name if whole else f"{name}__{shown}",
                split=split,
                captions=tuple(Caption(text) for line in of_span for text in line.captions),
                joints=joints[first + start : first + end + 1],
                labels=tuple(dict.fromkeys(label for line in of_span for label in line.labels)),
            )


def _by_span(lines: Sequence[CaptionLine]) -> Mapping[Span, list[CaptionLine]]:
    """The lines of each part of the file; the whole file where there are no lines."""
    found: dict[Span, list[CaptionLine]] = {}
    for line in lines:
        found.setdefault((line.start, line.end), []).append(line)
    return found or {WHOLE: []}


def _frames(span: Span, skipped: float, last: int, fps: float) -> tuple[int, int] | str:
    """First and last frame of a span, or why it is none."""
    start, end = span
    ends = last / fps + skipped
    if start is not None and start >= ends:
        return f"from {start:g} is after the file's end, {ends:.2f} s"
    if end is not None and end > ends + 0.5:
        return f"to {end:g} is after the file's end, {ends:.2f} s"
    first = 0 if start is None else max(0, round((start - skipped) * fps))
    return first, last if end is None else min(last, round((end - skipped) * fps))


def _spelled(span: Span) -> str:
    """As names have it: hundredths of a second tell all clips apart."""
    start, end = span
    return f"{round(start or 0.0, 2):g}-{'end' if end is None else f'{round(end, 2):g}s'}"
