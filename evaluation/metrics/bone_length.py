"""Bone-length error: whether a motion keeps the body it should have.

Joints follow from positions in the features, which no skeleton holds together, so that generated
bones may stretch. The body is that of the real clip, whose bones are the same in all frames: that
is the skeleton's where data was scaled to it, and holds for data with a body of its own as well.
Shape letters: T frames, J joints.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from evaluation.case import Case, Scorers
from evaluation.metrics.base import MOTIONS, Kind
from evaluation.metrics.clip_metric import ClipMetric, Shares
from evaluation.metrics.numbers import Number

MILLIMETRES = 1000.0


class BoneLengthError(ClipMetric):
    """Mean distance of each bone's length from that of the real clip, over frames and bones; mm."""

    numbers: Mapping[str, Number] = {"bone_length_error": Number("mm")}
    kinds: frozenset[Kind] = MOTIONS

    def of_clip(self, case: Case, scorers: Scorers) -> Shares:
        """Sum over frames, and their number."""
        parents = case.skeleton.parents
        body = bone_lengths(case.reference_joints[:1], parents)
        errors = np.abs(bone_lengths(case.joints, parents) - body).mean(-1)
        return {"bone_length_error": (MILLIMETRES * float(errors.sum()), len(errors))}


def bone_lengths(joints: np.ndarray, parents: Sequence[int]) -> np.ndarray:
    """Lengths (T, J - 1) metres of the bones that end in joints 1 .. J - 1 of (T, J, 3)."""
    bones = joints[:, 1:] - joints[:, list(parents[1:])]
    return np.sqrt(np.square(bones).sum(-1))
