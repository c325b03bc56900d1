"""Another frame rate by linear interpolation at exact times.

Shape letters: T frames.
"""

import numpy as np

from motiongpt.errors import UserError


def checked_fps(fps: float) -> float:
    """`fps` of the option data.fps, as a number.

    Raises:
        UserError: it is not above zero, or not finite.
    """
    if not 0 < fps < float("inf"):
        raise UserError(f"data.fps={fps}: expected a number above zero")
    return float(fps)


def resampled_length(n_frames: int, fps_in: float, fps_out: float) -> int:
    """Frames at `fps_out` whose times k / fps_out lie within the `n_frames` given ones."""
    # The small term keeps the last frame when its time is exact but for rounding.
    return int((n_frames - 1) * fps_out / fps_in + 1e-6) + 1


def resample_positions(positions: np.ndarray, fps_in: float, fps_out: float) -> np.ndarray:
    """Positions (T, ...) at `fps_in` to (T', ...) at `fps_out`, frame k at time k / fps_out.

    Positions themselves are interpolated, not rotations: from 30 to 20 frames per second every
    other frame is an original one, and those between lie half way. Skipping frames would be wrong
    for any ratio that is not whole.
    """
    n_out = resampled_length(len(positions), fps_in, fps_out)
    at = np.minimum(np.arange(n_out) * (fps_in / fps_out), len(positions) - 1)
    before = np.minimum(np.floor(at + 1e-6).astype(np.int64), len(positions) - 1)
    after = np.minimum(before + 1, len(positions) - 1)
    weight = np.clip(at - before, 0.0, 1.0).reshape(-1, *[1] * (positions.ndim - 1))
    return positions[before] * (1.0 - weight) + positions[after] * weight
