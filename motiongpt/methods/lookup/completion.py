"""Completions out of windows of training clips: what is looked for, and how it is joined.

Shape letters: T frames, S frames given at the start, E at the end, F features.
"""

from dataclasses import dataclass

import numpy as np
import torch

from motiongpt.errors import UserError
from motiongpt.methods.base import Request
from motiongpt.methods.lookup.memory import Memory
from motiongpt.methods.lookup.windows import PathQuery, WindowQuery, seen_from
from motiongpt.motion.anchor import arrive_at, root_path
from motiongpt.motion.skeleton import Skeleton

COMPARED = 4  # frames of each end
CONTEXT_SECONDS = 2.0  # of each end; what lies farther from the gap is not compared


@dataclass(frozen=True)
class Completion:
    """One completion that is asked for.

    Attributes:
        start: (S, F) float32, may be empty.
        end: (E, F) float32, may be empty.
        gap: frames that are asked for between them; None for as many as the clip has.
        most: frames that the gap has at most; None for any number.
        context: frames of a window before its gap.
        query: the window that is looked for; None where nothing is missing.
    """

    request: Request
    start: np.ndarray
    end: np.ndarray
    gap: int | None
    most: int | None
    context: int
    query: WindowQuery | None

    @classmethod
    def of(cls, request: Request, memory: Memory) -> "Completion":
        """What a request asks for.

        Raises:
            UserError: nothing is given, another width than the store's, fewer frames than are
                given, an end without a length, or no training clip to copy from.
        """
        start = _given(request, request.start, memory)
        end = _given(request, request.end, memory)
        given = len(start) + len(end)
        if not given:
            raise UserError(f"{_name(request)}: no frames are given; give a start, an end or both")
        if request.frames is None and len(end):
            raise UserError(f"{_name(request)}: an end is given; say how many frames it all has")
        if request.frames is not None and request.frames < given:
            raise UserError(f"{_name(request)}: {request.frames} frames, of which {given} given")
        gap = None if request.frames is None else request.frames - given
        most = None if request.max_frames is None else max(0, request.max_frames - given)
        context, query = 0, None
        if gap != 0:
            context, query = _window(request, start, end, gap, memory)
        return cls(request, start, end, gap, most, context, query)

    def motion(self, memory: Memory, clip: int, frame: int) -> np.ndarray:
        """Features (T, F) float32: given rows as they are, the window's rows between them.

        Where it is said where the end stands, the root's path leads there: see `arrive`.

        Args:
            clip, frame: where the window begins.
        """
        first = frame + self.context
        count = self.gap
        if count is None:
            count = int(memory.lengths[clip]) - first
            count = count if self.most is None else min(count, self.most)
        rows = memory.features(clip, first, first + count)
        if not len(rows):
            rows = memory.features(clip, frame, first)[-1:] if self.context else self.end[:1]
            rows = still(rows, memory.store.skeleton)
        return self._joined(held(rows, count, memory.store.skeleton))

    def _joined(self, gap: np.ndarray) -> np.ndarray:
        whole = np.concatenate([self.start, gap, self.end])
        place, heading = self.request.place, self.request.heading
        if not len(self.end) or place is None or heading is None:
            return whole
        last = len(self.start) + len(gap)
        features = torch.from_numpy(whole)
        return arrive_at(features, len(self.start), last, heading, place).numpy()


def held(rows: np.ndarray, count: int, skeleton: Skeleton) -> np.ndarray:
    """The first `count` rows; where there are fewer, the last pose is held."""
    if len(rows) >= count:
        return rows[:count]
    return np.concatenate([rows, np.repeat(still(rows[-1:], skeleton), count - len(rows), axis=0)])


def still(rows: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """The same poses without any velocity; contacts stay as they are."""
    quiet = rows.copy()
    quiet[:, :3] = 0
    quiet[:, 4 + 9 * (skeleton.n_joints - 1) : -4] = 0
    return quiet


def _window(
    request: Request, start: np.ndarray, end: np.ndarray, gap: int | None, memory: Memory
) -> tuple[int, WindowQuery]:
    """Frames of a window before its gap, and the window that is looked for.

    Where no training clip is as long, shorter windows will do and their last pose is held.
    """
    excluded = memory.position(request.clip)
    longest = memory.longest_but(excluded)
    if not longest:
        raise UserError(f"{_name(request)}: lookup knows no other training clip to copy from")
    most = max(1, min(longest // 2, round(CONTEXT_SECONDS * memory.store.fps)))
    before, after = min(len(start), most), min(len(end), most)
    last = before + (1 if gap is None else gap)
    offsets = np.concatenate([_spread(before), last + _spread(after)])
    rows = np.concatenate([start[len(start) - before :], end[:after]])
    rows = rows[np.concatenate([_spread(before), before + _spread(after)])]
    frames = min(last + after, longest)
    fits = offsets < frames
    query = WindowQuery(
        offsets[fits],
        memory.normalise(rows[fits]),
        frames,
        excluded,
        (request.sample or 0) + 1,
        _path(request, start, before, last),
    )
    return before, query


def _path(request: Request, start: np.ndarray, first: int, last: int) -> PathQuery | None:
    """How far the root should get in the gap, where that is known."""
    if request.place is None or request.heading is None:
        return None
    half, position = 0.0, np.zeros(2)
    if len(start):  # a row's speed leads to the next row, so one more row reaches the gap
        longer = torch.from_numpy(np.concatenate([start, start[-1:]]).astype(np.float64))
        halves, positions = root_path(longer)
        half, position = float(halves[-1]), positions[-1, 0::2].numpy()
    step = seen_from(half, np.asarray(request.place, np.float64) - position)
    return PathQuery(first, last, step, float(request.heading) - half)


def _spread(frames: int) -> np.ndarray:
    """At most `COMPARED` of so many frames, evenly, the first and the last among them."""
    count = min(frames, COMPARED)
    return np.linspace(0, max(0, frames - 1), count).round().astype(np.int64)


def _given(request: Request, rows: np.ndarray | None, memory: Memory) -> np.ndarray:
    width = memory.store.n_features
    if rows is None:
        return np.zeros((0, width), np.float32)
    rows = np.asarray(rows, np.float32)
    if rows.ndim != 2 or rows.shape[1] != width:
        raise UserError(
            f"{_name(request)}: features of shape {rows.shape}; expected (frames, {width}), as in "
            f"the store {memory.store.name}"
        )
    return rows


def _name(request: Request) -> str:
    return f"{request.task} of {request.clip}"
