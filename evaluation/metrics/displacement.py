"""Average and final displacement of completed motion: the distance of joints that were not given.

Source: ADE and FDE as in motion prediction (Yuan & Kitani, DLow, 2020), here the mean over joints
in metres, over the frames that the clip has: no padding, no norm over all coordinates at once (C5
of the audit).
"""

from collections.abc import Mapping

import numpy as np

from evaluation.case import Case, Scorers
from evaluation.metrics.base import Kind, Metric
from evaluation.metrics.clip_metric import ClipMetric, Shares
from evaluation.metrics.numbers import Number
from evaluation.metrics.padded_errors import PaddedDisplacement
from motiongpt.errors import UserError


class AverageDisplacement(ClipMetric):
    """Mean distance over all frames that were not given, metres; a mean over clips."""

    numbers: Mapping[str, Number] = {"ade": Number("m")}
    kinds: frozenset[Kind] = frozenset({"continuation", "inbetween"})

    def of_clip(self, case: Case, scorers: Scorers) -> Shares:
        """One mean for each clip that leaves frames to generate."""
        errors = displacements(case)
        return {"ade": (float(errors.mean()), 1)} if len(errors) else {}


class FinalDisplacement(ClipMetric):
    """Distance at the last frame that was not given, metres; a mean over clips."""

    numbers: Mapping[str, Number] = {"fde": Number("m")}
    kinds: frozenset[Kind] = frozenset({"continuation"})

    def of_clip(self, case: Case, scorers: Scorers) -> Shares:
        """One distance for each clip that leaves frames to generate."""
        errors = displacements(case)
        return {"fde": (float(errors[-1]), 1)} if len(errors) else {}


def displacement(kind: str, frames: str = "own_end") -> Metric:
    """The displacement error that a protocol asks for.

    Args:
        kind: "ade" or "fde".
        frames: "own_end", or "padded_end" as in MotionGPT's released code; see
            `PaddedDisplacement`.

    Raises:
        UserError: another value of either.
    """
    right: dict[str, type[ClipMetric]] = {"ade": AverageDisplacement, "fde": FinalDisplacement}
    if kind not in right:
        raise UserError(f"displacement {kind}: choose one of {', '.join(right)}")
    if frames not in ("own_end", "padded_end"):
        raise UserError(f"displacement over {frames}: choose one of own_end, padded_end")
    return right[kind]() if frames == "own_end" else PaddedDisplacement(kind)


def displacements(case: Case) -> np.ndarray:
    """Mean joint distance in metres at each frame that was not given.

    Where the output is shorter than the truth its last pose is held, so that stopping early is
    neither rewarded nor left out.
    """
    wanted = ~case.given
    return np.linalg.norm(held_to_the_end(case) - case.reference_joints, axis=-1).mean(-1)[wanted]


def held_to_the_end(case: Case) -> np.ndarray:
    """Joints (T, J, 3) of an output in as many frames as the real clip has.

    What is longer is cut; of what is shorter the last pose is held, of nothing the first real one.
    """
    real, joints = case.reference_joints, case.joints[: len(case.reference_joints)]
    if not len(joints):
        return np.repeat(real[:1], len(real), axis=0)
    return np.concatenate([joints, np.repeat(joints[-1:], len(real) - len(joints), axis=0)])
