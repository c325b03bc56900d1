"""Average and final displacement of completed motion: the distance of joints that were not given.

Source: ADE and FDE as in motion prediction (Yuan & Kitani, DLow, 2020), here the mean over joints
in metres, over the frames that the clip has: no padding, no norm over all coordinates at once (C5
of the audit).
"""

from collections.abc import Sequence

import numpy as np

from evaluation.case import Case, Scorers


class AverageDisplacement:
    """Mean distance over all frames that were not given, metres; a mean over clips."""

    unit, lower_is_better = "m", True

    def __call__(self, cases: Sequence[Case], scorers: Scorers) -> float:
        """Mean over the cases that leave frames to write; a missing frame holds the last one."""
        return _mean([float(errors.mean()) for case in cases if len(errors := displacements(case))])


class FinalDisplacement:
    """Distance at the last frame that was not given, metres; a mean over clips."""

    unit, lower_is_better = "m", True

    def __call__(self, cases: Sequence[Case], scorers: Scorers) -> float:
        """Mean over the cases that leave frames to write."""
        return _mean([float(errors[-1]) for case in cases if len(errors := displacements(case))])


def displacements(case: Case) -> np.ndarray:
    """Mean joint distance in metres at each frame that was not given.

    Where the answer is shorter than the truth its last pose is held, so that stopping early is
    neither rewarded nor left out.
    """
    wanted = ~case.given
    missing = len(case.reference_joints) - len(case.joints)
    joints = case.joints[: len(case.reference_joints)]
    if missing > 0 and len(joints):
        joints = np.concatenate([joints, np.repeat(joints[-1:], missing, axis=0)])
    elif not len(joints):
        joints = np.repeat(case.reference_joints[:1], len(case.reference_joints), axis=0)
    return np.linalg.norm(joints - case.reference_joints, axis=-1).mean(-1)[wanted]


def _mean(values: list[float]) -> float:
    return float(np.mean(values)) if values else float("nan")
