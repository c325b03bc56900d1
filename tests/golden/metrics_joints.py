"""Golden vectors of joint errors: frame by frame, and of whole batches with and without padding."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from evaluation.case import Case, Scorers
from evaluation.metrics.displacement import AverageDisplacement, FinalDisplacement
from evaluation.metrics.joint_errors import (
    MILLIMETRES,
    acceleration_error,
    best_similarity,
    mpjpe,
    pa_mpjpe,
)
from evaluation.metrics.released_joint_errors import (
    Frames,
    displacement_errors,
    in_between,
    padded_joint_errors,
    to_own_end,
    to_padded_end,
)
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.skeleton import HUMANML3D
from tests.golden.report import ReadArrays, Report

JOINTS = 1e-5
FROM_FEATURES = 1e-4


def check_joints(case: str, arrays: ReadArrays, report: Report) -> None:
    """Errors of each frame, 1e-5 m; the golden ones are metres, ours millimetres."""
    found, wanted, mirrored = _tensors(arrays, "pred", "ref", "mirrored")
    singles = [(joints - joints[:, :1]).reshape(-1, 1, 3) for joints in (found, wanted)]
    scale, rotation, shift = best_similarity(found, wanted)
    values = {
        "mpjpe_root_aligned": mpjpe(found, wanted) / MILLIMETRES,
        "mpjpe_unaligned": mpjpe(found, wanted, align_root=False) / MILLIMETRES,
        "mpjpe_per_joint": mpjpe(*singles, align_root=False) / MILLIMETRES,
        "pampjpe": pa_mpjpe(found, wanted) / MILLIMETRES,
        "pampjpe_mirrored": pa_mpjpe(mirrored, wanted) / MILLIMETRES,
        "accel": acceleration_error(found, wanted) / MILLIMETRES,
        "pa_scale": scale,
        "pa_R": rotation,
        "pa_t": shift[..., None],
    }
    for name in (name for name in values if name in arrays):
        report.compare(case, name, values[name], arrays[name], atol=JOINTS)


def check_features(case: str, arrays: ReadArrays, report: Report, data: Path) -> None:
    """Joints of the normalised features, 1e-4 m; statistics are MotionGPT's, from `data`."""
    statistics = [data / f"MotionGPT_{name}.npy" for name in ("mean", "std")]
    absent = [path.name for path in statistics if not path.is_file()]
    for features, joints in (("feats_rst", "joints_rst"), ("feats_ref", "joints_ref")):
        if absent:
            report.unchecked(case, features, f"data/ holds no {' and no '.join(absent)}")
            continue
        mean, std = (torch.from_numpy(np.load(p, allow_pickle=False)).float() for p in statistics)
        normalised, expected = _tensors(arrays, features, joints)
        found = features_to_joints(normalised * std + mean, HUMANML3D)
        report.compare(case, features, found, expected, atol=FROM_FEATURES)


def check_padded_batch(case: str, arrays: ReadArrays, report: Report) -> None:
    """Everything 1e-4 relative; in millimetres (MR) and metres (Pred)."""
    found, wanted, lengths = _tensors(arrays, "joints_rst", "joints_ref", "lengths")
    own = [slice(length) for length in lengths.tolist()]
    clips = [(f[frames], w[frames]) for f, w, frames in zip(found, wanted, own, strict=True)]
    right = {
        "MPJPE": torch.cat([mpjpe(*clip) for clip in clips]).mean(),
        "PAMPJPE": torch.cat([pa_mpjpe(*clip) for clip in clips]).mean(),
        "ACCEL": torch.cat([acceleration_error(*clip) for clip in clips]).mean(),
    }
    released = dict(zip(right, padded_joint_errors(found, wanted, lengths).values(), strict=True))
    _compare_all(case, "MRMetrics_as_released", released, arrays, report)
    _compare_all(case, "MRMetrics_unpadded", right, arrays, report)
    for task, padded, unpadded in (
        ("pred", to_padded_end, to_own_end),
        ("inbetween", in_between, in_between),
    ):
        for way, written in (("as_released", padded), ("unpadded", unpadded)):
            errors = displacement_errors(found, wanted, lengths, written)
            values = {name.upper(): value for name, value in errors.items()}
            _compare_all(case, f"PredMetrics_{task}_{way}", values, arrays, report)
        cases = [_case(*clip, unpadded) for clip in clips]
        scorers = Scorers(HUMANML3D, {})
        by_joint = {
            "ADE": AverageDisplacement()(cases, scorers),
            "FDE": FinalDisplacement()(cases, scorers),
        }
        name = f"PredMetrics_{task}_unpadded_mean_per_joint"
        _compare_all(case, name, by_joint, arrays, report)


def _case(found: Tensor, wanted: Tensor, written: Frames) -> Case:
    """A clip of which the model wrote some frames and was given the others."""
    given = np.ones(len(wanted), bool)
    given[written(len(wanted))] = False
    nothing = np.zeros((len(wanted), 0), np.float32)
    return Case(
        name="golden",
        labels=(),
        captions=(),
        prompt="",
        reference=nothing,
        reference_joints=wanted.numpy(),
        given=given,
        text="",
        features=nothing,
        joints=found.numpy(),
    )


def _compare_all(
    case: str,
    group: str,
    values: dict[str, Tensor] | dict[str, float],
    arrays: ReadArrays,
    report: Report,
) -> None:
    for name, value in values.items():
        if f"{group}/{name}" in arrays:
            full = f"{group}/{name}"
            report.compare(case, full, value, arrays[full], rtol=1e-4)


def _tensors(arrays: ReadArrays, *names: str) -> list[Tensor]:
    return [torch.from_numpy(arrays[name]) for name in names]
