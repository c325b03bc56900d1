"""The window of a training clip that is nearest to what a completion is given.

Frames at some offsets of a window are compared with given frames. All windows that begin at every
`stride`-th frame of a clip are tried, chunk by chunk; for each remainder of the offsets by the
stride one matrix product compares all of them with all queries.
Shape letters: Q queries, W windows, T frames, K frames and D channels that are compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from motiongpt.methods.lookup.memory import Chunk, Memory
from motiongpt.methods.lookup.nearest import ROUNDING, Hit, Nearest, mean_squares
from motiongpt.motion.anchor import root_path

QUERIES = 64  # compared at once
# A path that ends this far from where it should counts as much as frames that differ by one
# standard deviation in every channel. Ours; lengths of a step and of a turn that the eye sees.
OFFSET_METRES = 0.5
TURN_RADIANS = 0.5


@dataclass(frozen=True)
class PathQuery:
    """How far the root should get within a window.

    Attributes:
        first, last: offsets of the frames between which it is measured.
        step: (2,) metres x and z at frame `last`, seen from frame `first`.
        turn: half the angle that it turns by, radians, as features accumulate it.
    """

    first: int
    last: int
    step: np.ndarray
    turn: float


@dataclass(frozen=True)
class WindowQuery:
    """What is given, and how long a window must be.

    Attributes:
        offsets: (K,) int64 frames from the window's first one.
        rows: (K, D) float32 normalised, given at these offsets.
        frames: of the window, more than every offset.
        excluded: position of the clip that it must not find; -1 for none.
        count: of clips that are wanted.
        path: where the root should get; None where that is not known.
    """

    offsets: np.ndarray
    rows: np.ndarray
    frames: int
    excluded: int
    count: int
    path: PathQuery | None = None


def nearest_windows(memory: Memory, queries: Sequence[WindowQuery], stride: int) -> list[Nearest]:
    """Clips by their nearest window, and the frame where it begins.

    d(w) = mean over K frames and D channels of ((x[w + offset] - given) / std)², and where a path
    is asked for + (|step - asked| / 0.5 m)² + (|turn - asked| / 0.5 rad)².
    """
    found = [Nearest(query.count) for query in queries]
    for chunk in memory.chunks():
        windows = _Windows(chunk, stride)
        for first in range(0, len(queries), QUERIES):
            some = queries[first : first + QUERIES]
            rough, slack = windows.rough(some)
            for number, query in enumerate(some):
                windows.search(query, rough[number], slack[number], found[first + number])
    return found


class _Windows:
    """All windows of a chunk that begin at a multiple of the stride in their clip."""

    def __init__(self, chunk: Chunk, stride: int) -> None:
        self.chunk, self.stride = chunk, stride
        counts = -(-chunk.lengths // stride)
        self.bases = np.cumsum(counts) - counts  # (n,) first window of each clip
        self.clips = np.repeat(np.arange(len(counts)), counts)  # (W,)
        self.frames = (np.arange(len(self.clips)) - self.bases[self.clips]) * stride  # in its clip
        self.left = chunk.lengths[self.clips] - self.frames  # to the clip's end
        self.rows = chunk.starts[self.clips] + self.frames  # in the chunk
        # One path through all clips; only differences within one clip are ever used.
        half, position = root_path(torch.from_numpy(chunk.features[:, :4].astype(np.float64)))
        self._half, self._x, self._z = half.numpy(), position[:, 0].numpy(), position[:, 2].numpy()
        self._cos, self._sin = np.cos(2 * self._half), np.sin(2 * self._half)

    def rough(self, queries: Sequence[WindowQuery]) -> tuple[np.ndarray, np.ndarray]:
        """Distances (Q, W) without paths, to a rounding of `slack` (Q,)."""
        total = np.zeros((len(queries), len(self.rows)), np.float32)
        largest = np.zeros(len(queries))
        keys = [(q, k) for q, query in enumerate(queries) for k in range(len(query.offsets))]
        offsets = np.array([queries[q].offsets[k] for q, k in keys], np.int64)
        for remainder in np.unique(offsets % self.stride):
            chosen = np.flatnonzero(offsets % self.stride == remainder)
            ends = self.rows + np.minimum(remainder, self.left - 1)
            frames = self.chunk.normalised[ends]
            squares = np.square(frames).sum(1)
            given = np.stack([queries[q].rows[k] for q, k in (keys[i] for i in chosen)])
            differences = (-2 * given) @ frames.T
            differences += squares
            for row, at in zip(differences, chosen, strict=True):
                number, shift = keys[at][0], int(offsets[at]) // self.stride
                total[number, : max(0, len(squares) - shift)] += row[shift:]
                largest[number] += squares.max()
        own = np.array([np.square(query.rows).sum() for query in queries])
        sizes = np.array([max(1, query.rows.size) for query in queries])
        rough = (total + own[:, None].astype(np.float32)) / sizes[:, None].astype(np.float32)
        return rough, ROUNDING * (largest + own) / sizes

    def search(self, query: WindowQuery, rough: np.ndarray, slack: float, nearest: Nearest) -> None:
        """Add the windows that may be among the nearest, by their exact distance."""
        usable = self.left >= query.frames
        excluded = query.excluded - self.chunk.first
        if 0 <= excluded < len(self.bases):
            usable &= self.clips != excluded
        if query.path is not None:
            rough = rough + self._path_error(query.path, np.arange(len(self.rows)))
        rough = np.where(usable, rough, np.inf)
        best = np.minimum.reduceat(rough, self.bases)
        # Of each clip only its nearest window is kept, of the clips only the nearest.
        limit = np.minimum(nearest.limit(best), best) + 2 * slack
        near = np.flatnonzero(usable & (rough <= limit[self.clips]))
        given = self.chunk.normalised[self.rows[near, None] + query.offsets] - query.rows
        exact = mean_squares(given)
        if query.path is not None:
            exact = exact + self._path_error(query.path, near)
        nearest.add(
            [
                Hit(float(d), self.chunk.first + int(self.clips[w]), int(self.frames[w]))
                for d, w in zip(exact, near, strict=True)
            ]
        )

    def _path_error(self, path: PathQuery, windows: np.ndarray) -> np.ndarray:
        """What the windows' paths add to their distance, (len(windows),)."""
        end = self.left[windows] - 1
        first = self.rows[windows] + np.minimum(path.first, end)
        last = self.rows[windows] + np.minimum(path.last, end)
        x, z = self._x[last] - self._x[first], self._z[last] - self._z[first]
        cos, sin = self._cos[first], self._sin[first]
        offset = np.square(x * cos + z * sin - path.step[0])
        offset += np.square(z * cos - x * sin - path.step[1])
        turn = 2 * (self._half[last] - self._half[first] - path.turn)
        turn -= 2 * np.pi * np.rint(turn / (2 * np.pi))
        return np.asarray(offset / OFFSET_METRES**2 + np.square(turn) / TURN_RADIANS**2)


def seen_from(half: float, step: np.ndarray) -> np.ndarray:
    """A step (2,) on the floor as somebody sees it who has turned by twice `half`.

    The convention of recover.py, whose rotations count half the angle.
    """
    cos, sin = np.cos(2 * half), np.sin(2 * half)
    return np.array([step[0] * cos + step[1] * sin, step[1] * cos - step[0] * sin])
