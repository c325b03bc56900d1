"""Where a body goes and which way it faces: what errors that are aligned at the root don't see.

A codec can lose a turn, which is few of the features' numbers, and keep its MPJPE. Added by hand:
`metrics=[all,root_trajectory]`. Shape letters: T frames, J joints.
"""

from collections.abc import Mapping

import numpy as np

from evaluation.case import Case, Scorers
from evaluation.metrics.base import Kind
from evaluation.metrics.clip_metric import ClipMetric, Shares
from evaluation.metrics.displacement import held_to_the_end
from evaluation.metrics.numbers import Number
from motiongpt.motion.skeleton import Skeleton

TURNS = 60.0
"""Degrees that a clip turns by from its first to its last frame at least to count for `turn_lost`;
a walk sways by less."""


class RootTrajectory(ClipMetric):
    """Three numbers beside the real clip.

    `heading_error`: mean angle between the two headings over the frames that were not given,
    degrees about the vertical.
    `turn_lost`: of clips that turn, from their first to their last frame, the share of their turn
    by which the output's differs; a full circle is not the same as none.
    `root_error`: mean distance of the root over the frames that were not given, metres.
    """

    numbers: Mapping[str, Number] = {
        "heading_error": Number("deg"),
        "turn_lost": Number("%"),
        "root_error": Number("m"),
    }
    kinds: frozenset[Kind] = frozenset({"continuation", "inbetween", "reconstruction"})

    def of_clip(self, case: Case, scorers: Scorers) -> Shares:
        """Nothing of a clip that leaves no frame to generate."""
        wanted = ~case.given
        if not wanted.any():
            return {}
        real, joints = case.reference_joints, held_to_the_end(case)
        apart = np.linalg.norm(real[wanted, 0] - joints[wanted, 0], axis=-1)
        facing, ours = (headings(one, case.skeleton) for one in (real, joints))
        off = np.abs((ours - facing)[wanted])
        off = np.minimum(off % 360, 360 - off % 360)
        shares = {
            "heading_error": (float(off.mean()), 1.0),
            "root_error": (float(apart.mean()), 1.0),
        }
        turn, made = facing[-1] - facing[0], ours[-1] - ours[0]
        if abs(turn) >= TURNS:
            shares["turn_lost"] = (100 * float(abs(turn - made)), float(abs(turn)))
        return shares


def headings(joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Degrees (T,) about Y that a body faces, of joints (T, J, 3), without jumps at a full circle.

    Read across hips and shoulders together.
    """
    right_hip, left_hip, right_shoulder, left_shoulder = skeleton.face_joints
    across = joints[:, left_hip] - joints[:, right_hip]
    across = across + joints[:, left_shoulder] - joints[:, right_shoulder]
    return np.degrees(np.unwrap(np.arctan2(-across[:, 2], across[:, 0])))
