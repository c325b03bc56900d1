"""Axes of the world: Y is up here, Z is in much motion capture.

Shape letters: T frames, J joints.
"""

import numpy as np

UP_AXES = ("Y", "Z")


def from_z_up(joints: np.ndarray) -> np.ndarray:
    """Joints (..., 3) with Z up as joints with Y up.

    A quarter turn about X: up (Z) becomes Y, what was ahead (-Y) becomes Z.
    """
    return np.stack([joints[..., 0], joints[..., 2], -joints[..., 1]], axis=-1)
