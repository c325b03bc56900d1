"""Curves over time: eases, pulses, keyframes, smooth noise. Time is (T,) seconds.

scipy takes a second to import: it is where motion is made, since plans look at sources too.
"""

from collections.abc import Sequence

import numpy as np

FPS = 20.0


def clock(seconds: float) -> np.ndarray:
    """(T,) seconds of the frames of a motion that lasts about `seconds`: 0, 1 / 20, ..."""
    return np.arange(round(seconds * FPS) + 1) / FPS


def ramp(time: np.ndarray, start: float, end: float) -> np.ndarray:
    """0 before `start`, 1 after `end`, between them the minimum-jerk curve 10u^3 - 15u^4 + 6u^5.

    Source: Flash and Hogan, "The coordination of arm movements", 1985.
    """
    u = np.clip((time - start) / (end - start), 0.0, 1.0)
    return u * u * u * (10.0 + u * (6.0 * u - 15.0))


def glide(time: np.ndarray, start: float, end: float) -> np.ndarray:
    """0 to 1 as `ramp`, with a lower top speed (3u^2 - 2u^3): the travel of a swinging foot."""
    u = np.clip((time - start) / (end - start), 0.0, 1.0)
    return u * u * (3.0 - 2.0 * u)


def bump(time: np.ndarray, start: float, end: float) -> np.ndarray:
    """0, up to 1 in the middle of `start` and `end`, 0: one period of a raised cosine."""
    u = np.clip((time - start) / (end - start), 0.0, 1.0)
    return np.sin(np.pi * u) ** 2


def hold(time: np.ndarray, start: float, up: float, down: float, end: float) -> np.ndarray:
    """0 before `start`, 1 from `up` to `down`, 0 after `end`, with minimum-jerk flanks."""
    return ramp(time, start, up) - ramp(time, down, end)


def through(
    time: np.ndarray, times: Sequence[float] | np.ndarray, values: Sequence[object] | np.ndarray
) -> np.ndarray:
    """Monotone cubic through keyframes; values (K,) or (K, ...), held before and after."""
    from scipy.interpolate import PchipInterpolator

    curve = PchipInterpolator(times, np.asarray(values, dtype=float), axis=0)
    return curve(np.clip(time, times[0], times[-1]))


def hermite(
    time: np.ndarray, times: Sequence[float], values: Sequence[float], slopes: Sequence[float]
) -> np.ndarray:
    """Cubic Hermite curve through keyframes with given slopes, held before and after."""
    from scipy.interpolate import CubicHermiteSpline

    curve = CubicHermiteSpline(times, values, slopes)
    return curve(np.clip(time, times[0], times[-1]))


def smooth(values: np.ndarray, seconds: float) -> np.ndarray:
    """Gaussian smoothing along the frames (axis 0) with that standard deviation.

    The kernel ends at 2.5 deviations: what lies still that long at an end stays there.
    """
    from scipy.ndimage import gaussian_filter1d

    return gaussian_filter1d(values, seconds * FPS, axis=0, mode="nearest", truncate=2.5)


def running_maximum(values: np.ndarray, frames: int) -> np.ndarray:
    """The largest (T,) of the `frames` values around each, an odd number."""
    from scipy.ndimage import maximum_filter1d

    return maximum_filter1d(values, frames, mode="nearest")


def wander(rng: np.random.Generator, time: np.ndarray, width: int) -> np.ndarray:
    """(T, width) slow smooth noise of about unit size: three sines of 0.15 to 0.7 Hz each."""
    rate = rng.uniform(0.15, 0.7, (3, width))
    phase = rng.uniform(0.0, 2.0 * np.pi, (3, width))
    return np.sin(2.0 * np.pi * rate * time[:, None, None] + phase).sum(axis=1) / np.sqrt(1.5)
