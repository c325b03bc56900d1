"""Pairs of joints of the left and the right side."""

import numpy as np

from motiongpt.motion.skeleton import Skeleton


def swapped_sides(joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Joints (T, J, 3) with each left one's position under its right twin's name, and back."""
    names = skeleton.joint_names
    twin = {"left": "right", "right": "left"}
    order = []
    for name in names:
        side, _, rest = name.partition("_")
        order.append(names.index(f"{twin[side]}_{rest}" if side in twin else name))
    return joints[:, order]
