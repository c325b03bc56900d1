"""Errors of a motion that should equal the real one frame by frame, in millimetres."""

from collections.abc import Callable, Sequence

import numpy as np
import torch

from evaluation.case import Case, Scorers
from evaluation.metrics import joint_errors

Errors = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


class JointError:
    """Mean of a per-frame joint error over all frames of all clips.

    Args:
        kind: "mpjpe" (root-aligned), "pa_mpjpe" (after the best similarity) or
            "acceleration_error"; functions of `joint_errors`.
    """

    unit, lower_is_better = "mm", True

    def __init__(self, kind: str) -> None:
        self.errors: Errors = getattr(joint_errors, kind)

    def __call__(self, cases: Sequence[Case], scorers: Scorers) -> float:
        """Mean over frames; frames that the answer lacks are left out."""
        values = []
        for case in cases:
            frames = min(len(case.joints), len(case.reference_joints))
            found, wanted = (
                torch.from_numpy(np.asarray(joints[:frames], np.float32))
                for joints in (case.joints, case.reference_joints)
            )
            values.append(torch.atleast_1d(self.errors(found, wanted)).numpy())
        return float(np.concatenate(values).mean()) if values else float("nan")
