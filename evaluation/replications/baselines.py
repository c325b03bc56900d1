"""Completions that cost no learning: what a model has to beat.

Shapes: T frames, J joints, in metres, in one common coordinate system.
"""

import numpy as np


def hold_last_pose(given: np.ndarray, frames: int) -> np.ndarray:
    """Stand still: the last of the given frames (T, J, 3), repeated `frames` times."""
    return np.repeat(given[-1:], frames, axis=0)


def interpolate_linear(head: np.ndarray, tail: np.ndarray, frames: int) -> np.ndarray:
    """Move every joint on a straight line from the head's last frame to the tail's first.

    Returns:
        (frames, J, 3), the frames between.
    """
    share = np.linspace(0, 1, frames + 2)[1:-1, None, None]
    return (1 - share) * head[-1:] + share * tail[:1]
