"""The training clips nearest to a whole motion.

Shape letters: Q queries, N clips, K frames and D channels that are compared.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from motiongpt.methods.lookup.memory import Chunk, Memory
from motiongpt.methods.lookup.nearest import ROUNDING, Hit, Nearest, mean_squares

COMPARED = 16


@dataclass(frozen=True)
class MotionQuery:
    """A motion that is looked for.

    Attributes:
        key: (K, D) float32, of `key_frames`.
        excluded: position of the clip that it must not find; -1 for none.
        count: of clips that are wanted.
    """

    key: np.ndarray
    excluded: int
    count: int


def key_frames(rows: np.ndarray, count: int = COMPARED) -> np.ndarray:
    """Rows (T, D) at `count` times, evenly from the first frame to the last: (count, D).

    Linear between frames; a motion of one frame is that frame, `count` times.
    """
    at = np.linspace(0, len(rows) - 1, count)
    before = np.floor(at).astype(np.int64)
    after = np.minimum(before + 1, len(rows) - 1)
    share = (at - before)[:, None].astype(rows.dtype)
    return rows[before] * (1 - share) + rows[after] * share


def nearest_motions(memory: Memory, queries: Sequence[MotionQuery]) -> list[Nearest]:
    """Clips with captions, nearest first.

    d(a, b) = mean over K times and D channels of ((a - b) / std)², with both motions read at K
    times spread evenly over their own length. Place and heading do not count because features are
    relative to both; neither does how long a motion takes.
    """
    found = [Nearest(query.count) for query in queries]
    wanted = np.stack([query.key.ravel() for query in queries])
    size = wanted.shape[1]
    own = np.square(wanted).sum(1)
    for chunk in memory.chunks():
        keys = _keys(chunk)
        others = np.square(keys).sum(1)
        rough = (own[:, None] + others - 2 * (wanted @ keys.T)) / size
        slack = ROUNDING * (own + others.max()) / size
        usable = np.isin(chunk.first + np.arange(len(keys)), memory.captioned_clips)
        for number, query in enumerate(queries):
            rows = np.where(usable, rough[number], np.inf)
            if 0 <= query.excluded - chunk.first < len(rows):
                rows[query.excluded - chunk.first] = np.inf
            limit = found[number].limit(rows) + 2 * slack[number]
            near = np.flatnonzero(np.isfinite(rows) & (rows <= limit))
            exact = mean_squares(keys[near] - wanted[number])
            hits = zip(exact, near, strict=True)
            found[number].add([Hit(float(d), chunk.first + int(at), 0) for d, at in hits])
    return found


def _keys(chunk: Chunk) -> np.ndarray:
    """(n, K · D) of a chunk's clips."""
    clips = zip(chunk.starts, chunk.lengths, strict=True)
    return np.stack([key_frames(chunk.normalised[at : at + n]).ravel() for at, n in clips])
