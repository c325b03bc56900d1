"""Feet and floor: sliding, floating and penetration, from joints alone.

Source: the physical errors of PhysDiff (Yuan et al., ICCV 2023), on joints instead of a mesh and
in metres per second instead of millimetres a frame, so that frame rates can be compared (times
1000 / fps gives theirs). The floor is y = 0, where the representation puts the lowest joint of a
clip. All frames count, given or generated. Shape letters: T frames, J joints.
"""

from collections.abc import Mapping

import numpy as np

from evaluation.case import Case, Scorers
from evaluation.metrics.base import MOTIONS, Kind
from evaluation.metrics.clip_metric import ClipMetric, Shares
from evaluation.metrics.numbers import Number
from motiongpt.motion.skeleton import Skeleton

# A toe joint lies inside the foot, so that on the ground it is not at 0: the height of the foot
# skating ratio of GMD (Karunratanakul et al., ICCV 2023).
CONTACT_HEIGHT = 0.05  # metres
TOLERANCE = 0.005  # metres; PhysDiff
MILLIMETRES = 1000.0
UP = 1


class FootSliding(ClipMetric):
    """Mean horizontal speed of a toe that is on the ground in two adjacent frames, m/s.

    A mean over all such pairs of frames of all clips. Real toes turn and roll a little.
    """

    numbers: Mapping[str, Number] = {"foot_sliding": Number("m/s", "real")}
    kinds: frozenset[Kind] = MOTIONS

    def of_clip(self, case: Case, scorers: Scorers) -> Shares:
        """Sum of the speeds, and how many there are."""
        speeds = sliding_speeds(case.joints, case.skeleton, scorers.fps)
        return {"foot_sliding": (float(speeds.sum()), len(speeds))}


class Floating(ClipMetric):
    """Mean height of the lowest joint above the floor, beyond 5 mm, over all frames; mm.

    The lowest of all joints, so that lying or a handstand is no floating. Real jumps are some.
    """

    numbers: Mapping[str, Number] = {"floating": Number("mm", "real")}
    kinds: frozenset[Kind] = MOTIONS

    def of_clip(self, case: Case, scorers: Scorers) -> Shares:
        """Sum over frames, and their number."""
        above = np.maximum(lowest_heights(case.joints) - TOLERANCE, 0)
        return {"floating": (MILLIMETRES * float(above.sum()), len(above))}


class Penetration(ClipMetric):
    """Mean depth of the lowest joint below the floor, beyond 5 mm, over all frames; mm."""

    numbers: Mapping[str, Number] = {"penetration": Number("mm")}
    kinds: frozenset[Kind] = MOTIONS

    def of_clip(self, case: Case, scorers: Scorers) -> Shares:
        """Sum over frames, and their number."""
        below = np.maximum(-lowest_heights(case.joints) - TOLERANCE, 0)
        return {"penetration": (MILLIMETRES * float(below.sum()), len(below))}


def sliding_speeds(joints: np.ndarray, skeleton: Skeleton, fps: float) -> np.ndarray:
    """Horizontal speeds of both toes where they stay on the ground, metres per second.

    Args:
        joints: (T, J, 3) metres.
    """
    toes = joints[:, [skeleton.feet_left[1], skeleton.feet_right[1]]]
    # Written so that NaN is on the ground, where it is found out.
    down = ~(toes[..., UP] >= CONTACT_HEIGHT)
    steps = np.diff(toes[..., ::2], axis=0)[down[1:] & down[:-1]]
    return fps * np.sqrt(np.square(steps).sum(-1))


def lowest_heights(joints: np.ndarray) -> np.ndarray:
    """Height of the lowest joint in each frame, (T,) metres, of joints (T, J, 3)."""
    return joints[..., UP].min(-1)
