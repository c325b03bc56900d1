"""Errors of a motion that should equal the real one frame by frame, in millimetres."""

import numpy as np
import torch

from evaluation.case import Case, Scorers
from evaluation.metrics.base import Kind, Metric
from evaluation.metrics.clip_metric import ClipMetric, Shares
from evaluation.metrics.joint_errors import errors_by_name
from evaluation.metrics.numbers import Number
from evaluation.metrics.padded_errors import PaddedJointError
from motiongpt.errors import UserError


class JointError(ClipMetric):
    """Mean of a per-frame joint error over all frames of all clips.

    Frames that the output lacks are left out.

    Args:
        kind: "mpjpe" (root-aligned), "pa_mpjpe" (after the best similarity) or
            "acceleration_error".

    Raises:
        UserError: another kind.
    """

    kinds: frozenset[Kind] = frozenset({"reconstruction"})

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.errors = kind, errors_by_name(kind)
        self.numbers = {kind: Number("mm")}

    def of_clip(self, case: Case, scorers: Scorers) -> Shares:
        """Sum over frames, and their number."""
        frames = min(len(case.joints), len(case.reference_joints))
        found = np.asarray(case.joints[:frames], np.float32)
        if not np.isfinite(found).all():
            return {self.kind: (np.nan, frames)}
        wanted = np.asarray(case.reference_joints[:frames], np.float32)
        values = self.errors(torch.from_numpy(found), torch.from_numpy(wanted))
        return {self.kind: (float(values.double().sum()), len(values))}


def joint_error(kind: str, frames: str = "valid") -> Metric:
    """The joint error that a protocol asks for.

    Args:
        kind: see `JointError`.
        frames: "valid", or "padded" as in MotionGPT's released code; see `PaddedJointError`.

    Raises:
        UserError: another value of either.
    """
    if frames not in ("valid", "padded"):
        raise UserError(f"joint_errors {frames}: choose one of valid, padded")
    return JointError(kind) if frames == "valid" else PaddedJointError(kind)
