"""Joining what was given with what the model wrote, so that nothing jumps.

A model writes tokens; decoded, they lie some centimetres beside the frames that were given, which
stay as they are. So what is written is drawn to them near the seam: the error that the tokenizer
makes in the last given frame is taken off, less and less from frame to frame.
Shape letters: T frames, J joints, F features.
"""

from dataclasses import dataclass

import numpy as np
import torch

from motiongpt.motion.anchor import arrive, root_path
from motiongpt.motion.skeleton import Skeleton

BLEND_SECONDS = 0.5


@dataclass(frozen=True)
class Ground:
    """Where a motion stands: a turn about the vertical, then a shift, takes features' joints there.

    Attributes:
        angle: radians, from +Z towards +X.
        shift: (3,) metres.
    """

    angle: float
    shift: np.ndarray

    @classmethod
    def between(cls, source: np.ndarray, target: np.ndarray) -> "Ground":
        """What takes a pose (J, 3) as near as can be to another; the lowest joints share a height.

        The roots are put over each other, because a motion goes on from its root.
        """
        a, b = source - source[:1], target - target[:1]
        sine = float((a[:, 2] * b[:, 0] - a[:, 0] * b[:, 2]).sum())
        cosine = float((a[:, 0] * b[:, 0] + a[:, 2] * b[:, 2]).sum())
        turned = cls(float(np.arctan2(sine, cosine)), np.zeros(3))
        shift = target[0] - turned.put(source)[0]
        shift[1] = target[:, 1].min() - source[:, 1].min()
        return cls(turned.angle, shift)

    def seen_from(self, other: "Ground") -> "Ground":
        """The same place for somebody who stands at `other`."""
        back = Ground(-other.angle, np.zeros(3))
        return Ground(self.angle - other.angle, back.put(self.shift - other.shift))

    def put(self, joints: np.ndarray) -> np.ndarray:
        """Joints (..., 3) turned and shifted."""
        c, s = np.cos(self.angle), np.sin(self.angle)
        turn = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
        return np.asarray(joints @ turn.T + self.shift)


def continued(
    start: np.ndarray, decoded: np.ndarray, first: int, frames: int, fps: float, skeleton: Skeleton
) -> np.ndarray:
    """Features (frames, F): the given rows, then what was written.

    Args:
        start: (S, F) given rows.
        decoded: (T, F) of all tokens; row `first - 1` is the model's version of the last given one.
    """
    gap = decoded[first : first + frames - len(start)].copy()
    _lean(gap, start[-1] - decoded[first - 1], fps, skeleton)
    return np.concatenate([start, gap])


def bridged(
    start: np.ndarray,
    end: np.ndarray,
    decoded: np.ndarray,
    first: int,
    last: int,
    frames: int,
    fps: float,
    skeleton: Skeleton,
    arrival: Ground,
) -> np.ndarray:
    """Features (frames, F): given rows, what was written between them, given rows.

    Args:
        start, end: (S, F) and (E, F) given rows.
        decoded: (T, F) of all tokens; rows `first` … `last - 1` are what was written.
        arrival: where the end stands, seen from the start.
    """
    gap = _as_long_as(decoded[first:last], frames - len(start) - len(end), skeleton)
    _lean(gap, start[-1] - decoded[first - 1], fps, skeleton)
    _lean(gap[::-1], end[0] - decoded[last], fps, skeleton)
    whole = torch.from_numpy(np.concatenate([start, gap, end]))
    at = len(start) + len(gap)
    found = float(root_path(whole)[0][at])
    # Features accumulate half the angle, the other way round; of all turns the shortest is taken.
    half = -arrival.angle / 2
    half += np.pi * round((found - half) / np.pi)
    place = torch.tensor(arrival.shift[0::2], dtype=whole.dtype)
    heading = torch.tensor(half, dtype=whole.dtype)
    return arrive(whole, len(start), at, heading, place).numpy()


def _lean(rows: np.ndarray, error: np.ndarray, fps: float, skeleton: Skeleton) -> None:
    """Add `error` (F,) of a frame before them to the first rows, fading; velocities stay."""
    count = min(len(rows), max(1, round(BLEND_SECONDS * fps)))
    posture = slice(3, 4 + 9 * (skeleton.n_joints - 1))  # height, positions, rotations
    fading = 0.5 + 0.5 * np.cos(np.pi * np.arange(1, count + 1) / (count + 1))
    rows[:count, posture] += (fading[:, None] * error[posture]).astype(rows.dtype)


def _as_long_as(rows: np.ndarray, count: int, skeleton: Skeleton) -> np.ndarray:
    """Rows (T, F) in `count` frames, a few fewer: what happens is a little faster."""
    if len(rows) == count:
        return rows.copy()
    rate = (len(rows) + 1) / (count + 1)
    at = (np.arange(count) + 1) * rate - 1
    before = np.floor(at).astype(int)
    after = np.minimum(before + 1, len(rows) - 1)
    share = (at - before)[:, None].astype(rows.dtype)
    faster = rows[before] * (1 - share) + rows[after] * share
    velocities = slice(4 + 9 * (skeleton.n_joints - 1), -4)
    faster[:, :3] *= rate
    faster[:, velocities] *= rate
    faster[:, -4:] = faster[:, -4:].round()
    return faster
