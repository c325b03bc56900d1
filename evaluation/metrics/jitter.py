"""Jitter: how much joints shake, from the third derivative of their positions.

Source: the jitter of TransPose (Yi et al., SIGGRAPH 2021) and PIP: mean jerk of all joints in the
world. They print it in units of 100 m/s³; here it is m/s³. Shape letters: T frames, J joints.
"""

from collections.abc import Mapping

import numpy as np

from evaluation.case import Case, Scorers
from evaluation.metrics.base import MOTIONS, Kind
from evaluation.metrics.clip_metric import ClipMetric, Shares
from evaluation.metrics.numbers import Number


class Jitter(ClipMetric):
    """Mean length of the jerk over frames and joints, m/s³.

    Real motion has some, and too little is motion that is too smooth.
    """

    numbers: Mapping[str, Number] = {"jitter": Number("m/s³", "real")}
    kinds: frozenset[Kind] = MOTIONS

    def of_clip(self, case: Case, scorers: Scorers) -> Shares:
        """Sum over frames, and their number; clips of fewer than 4 frames have none."""
        values = jerks(case.joints, scorers.fps)
        return {"jitter": (float(values.sum()), len(values))}


def jerks(joints: np.ndarray, fps: float) -> np.ndarray:
    """Mean over joints of the jerk of (T, J, 3) metres, (T - 3,) m/s³."""
    third = np.diff(joints, n=3, axis=0)
    return fps**3 * np.sqrt(np.square(third).sum(-1)).mean(-1)
