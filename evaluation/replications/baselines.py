"""Completions that cost no learning: what a model has to beat.

Shapes: T frames, J joints, in metres, in one common coordinate system; F features.
"""

import numpy as np

from motiongpt.motion.skeleton import Skeleton


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


def at_rest(frame: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """A frame (F,) of features with the same pose and no velocity: held, the body stands still."""
    contacts, velocities = 4, 3 * skeleton.n_joints
    still = frame.copy()
    still[:3] = 0  # the root's turn and steps
    still[-contacts - velocities : -contacts] = 0
    still[-contacts:] = 1
    return still
