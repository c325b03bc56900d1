"""Joining what was given with what was generated, so that nothing jumps.

A language model generates tokens; decoded, they lie some centimetres beside the frames that were
given, which stay as they are. So what is generated is drawn to them near the seam: the error that
the codec makes in the last given frame is taken off, less and less from frame to frame.
Shape letters: T frames, F features.
"""

import numpy as np
import torch

from motiongpt.motion.anchor import arrive_at
from motiongpt.motion.skeleton import Skeleton

BLEND_SECONDS = 0.5


def continued(
    start: np.ndarray, decoded: np.ndarray, first: int, frames: int, fps: float, skeleton: Skeleton
) -> np.ndarray:
    """Features (frames, F): the given rows, then what was generated.

    Args:
        start: (S, F) given rows.
        decoded: (T, F) of all tokens; row `first - 1` is the model's version of the last given one.
    """
    gap = decoded[first : first + frames - len(start)].copy()
    _lean(gap, start[-1] - decoded[first - 1], fps, skeleton)
    return np.concatenate([start, gap])


def filled(
    start: np.ndarray,
    end: np.ndarray,
    decoded: np.ndarray,
    first: int,
    last: int,
    frames: int,
    fps: float,
    skeleton: Skeleton,
    place: np.ndarray | None,
    heading: float | None,
) -> np.ndarray:
    """Features (frames, F): given rows, what was generated between them, given rows.

    Args:
        start, end: (S, F) and (E, F) given rows.
        decoded: (T, F) of all tokens; rows `first` … `last - 1` are what was generated.
        place, heading: see `Request`; None lets the motion lead there.
    """
    gap = _as_long_as(decoded[first:last], frames - len(start) - len(end), skeleton)
    if first:
        _lean(gap, start[-1] - decoded[first - 1], fps, skeleton)
    if last < len(decoded):
        _lean(gap[::-1], end[0] - decoded[last], fps, skeleton)
    whole = torch.from_numpy(np.concatenate([start, gap, end]))
    if place is None or heading is None:
        return whole.numpy()
    # Row `start - 1` carries the root from the last given frame into the gap: it stays as given.
    return arrive_at(whole, len(start), len(start) + len(gap), heading, place).numpy()


def last_tokens(features: np.ndarray, rate: int, skeleton: Skeleton) -> np.ndarray:
    """Rows of whole tokens up to the last frame, of the number of tokens that is nearest.

    One token more holds the first pose still before it, one fewer leaves the first frames out.
    """
    short = -len(features) % rate
    if _adds_a_token(len(features), rate):
        return np.concatenate([_held(features[:1], short, skeleton), features])
    return features[len(features) % rate :]


def first_tokens(features: np.ndarray, rate: int, skeleton: Skeleton) -> np.ndarray:
    """The same from the first frame on: the last pose is held, or the last frames left out."""
    short = -len(features) % rate
    if _adds_a_token(len(features), rate):
        return np.concatenate([features, _held(features[-1:], short, skeleton)])
    return features[: len(features) // rate * rate]


def whole_tokens(features: np.ndarray, rate: int, skeleton: Skeleton) -> np.ndarray:
    """Rows of the whole tokens of a clip that is described; a short one's last pose is held."""
    if len(features) < rate:
        return first_tokens(features, rate, skeleton)
    return features[: len(features) // rate * rate]


def _adds_a_token(frames: int, rate: int) -> bool:
    return frames < rate or 0 < -frames % rate <= rate // 2


def _held(row: np.ndarray, frames: int, skeleton: Skeleton) -> np.ndarray:
    """A pose held still: its row without any velocity."""
    still = row.copy()
    still[:, :3] = 0
    still[:, 4 + 9 * (skeleton.n_joints - 1) : -4] = 0
    return np.repeat(still, frames, axis=0)


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
