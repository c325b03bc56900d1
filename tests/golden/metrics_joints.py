"""Golden vectors of joint errors: frame by frame, and of whole batches with and without padding."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from evaluation.case import Case, Scorers
from evaluation.metrics.base import Batch, Metric
from evaluation.metrics.displacement import displacement
from evaluation.metrics.joint_errors import (
    MILLIMETRES,
    acceleration_error,
    best_similarity,
    mpjpe,
    pa_mpjpe,
)
from evaluation.metrics.reconstruction import joint_error
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.skeleton import HUMANML3D
from tests.golden.report import ReadArrays, Report

Written = slice | Callable[[int], slice]
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


def check_padded_batch(case: str, arrays: ReadArrays, report: Report, data: Path) -> None:
    """From normalised features: joints 1e-4 m, then all numbers 1e-4 relative.

    Statistics are MotionGPT's, from `data`. Millimetres (MR) and metres (Pred).
    """
    statistics = [data / f"MotionGPT_{name}.npy" for name in ("mean", "std")]
    absent = [path.name for path in statistics if not path.is_file()]
    if absent:
        report.unchecked(case, "all", f"data/ holds no {' and no '.join(absent)}")
        return
    mean, std = (np.load(path, allow_pickle=False).astype(np.float32) for path in statistics)
    motions = {}
    for features, joints in (("feats_rst", "joints_rst"), ("feats_ref", "joints_ref")):
        motions[features] = arrays[features] * std + mean
        found = features_to_joints(torch.from_numpy(motions[features]), HUMANML3D)
        report.compare(case, features, found, arrays[joints], atol=FROM_FEATURES)
    clips = [
        (found[:length], wanted[:length])
        for found, wanted, length in zip(*motions.values(), arrays["lengths"], strict=True)
    ]
    batch = _Clips(clips, Scorers(HUMANML3D, HUMANML3D.fps, {}, mean=mean))
    names = {"mpjpe": "MPJPE", "pa_mpjpe": "PAMPJPE", "acceleration_error": "ACCEL"}
    for group, frames in (("as_released", "padded"), ("unpadded", "valid")):
        found = {
            names[kind]: batch.number(joint_error(kind, frames), slice(0, None)) for kind in names
        }
        _compare_all(case, f"MRMetrics_{group}", found, arrays, report)
    for task, written in (("pred", _prediction), ("inbetween", _inbetween)):
        for group, frames in (
            ("as_released", "padded_end"),
            ("unpadded_mean_per_joint", "own_end"),
        ):
            found = {
                kind.upper(): batch.number(displacement(kind, frames), written)
                for kind in ("ade", "fde")
            }
            # What the released code reports but never adds to.
            found |= {"APD": 0.0} if frames == "padded_end" else {}
            _compare_all(case, f"PredMetrics_{task}_{group}", found, arrays, report)
        found = _unpadded(batch.clips, written)
        _compare_all(case, f"PredMetrics_{task}_unpadded", found, arrays, report)


@dataclass
class _Clips:
    """Features (T, F) of motions and of real clips, as one batch for a metric."""

    clips: list[tuple[np.ndarray, np.ndarray]]
    scorers: Scorers

    def number(self, metric: Metric, written: Written) -> Tensor:
        """The one number of a metric, of clips of which the model wrote some frames."""
        cases = [_case(found, wanted, written) for found, wanted in self.clips]
        metric.update(Batch(cases=cases, scorers=self.scorers))
        (value,) = metric.compute().values()
        return value


def _prediction(length: int) -> slice:
    """All but the first 20 %."""
    return slice(int(length * 0.2), length)


def _inbetween(length: int) -> slice:
    """All but 25 % at either end."""
    return slice(int(length * 0.25), length - int(length * 0.25))


def _unpadded(clips: list[tuple[np.ndarray, np.ndarray]], written: Written) -> dict[str, float]:
    """The released norm over all numbers of a pose, on the frames that a clip has."""
    distances = []
    for clip in clips:
        found, wanted = (features_to_joints(torch.from_numpy(one), HUMANML3D) for one in clip)
        distances.append((found - wanted).flatten(1).norm(dim=-1)[_slice(written, len(found))])
    return {
        "ADE": float(torch.stack([row.mean() for row in distances]).mean()),
        "FDE": float(torch.stack([row[-1] for row in distances]).mean()),
    }


def _slice(written: Written, length: int) -> slice:
    return written if isinstance(written, slice) else written(length)


def _case(found: np.ndarray, wanted: np.ndarray, written: Written) -> Case:
    """A clip of which the model wrote some frames and was given the others."""
    given = np.ones(len(wanted), bool)
    given[_slice(written, len(wanted))] = False
    return Case(
        name="golden",
        labels=(),
        captions=(),
        caption="",
        prompt="",
        reference=wanted,
        given=given,
        text="",
        features=found,
    )


def _compare_all(
    case: str,
    group: str,
    values: dict[str, Tensor | float],
    arrays: ReadArrays,
    report: Report,
) -> None:
    for name, value in values.items():
        if f"{group}/{name}" in arrays:
            full = f"{group}/{name}"
            report.compare(case, full, value, arrays[full], rtol=1e-4)


def _tensors(arrays: ReadArrays, *names: str) -> list[Tensor]:
    return [torch.from_numpy(arrays[name]) for name in names]
