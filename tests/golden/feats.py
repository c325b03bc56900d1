"""Golden vectors of the motion features: joints to features and back.

Channels 0..258 of the features within 2e-5, contacts equal; the uniform skeleton and the placed
joints within 1e-5; what adds up along time within 1e-4.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from motiongpt.motion.features import (
    canonical_joints,
    extract_features,
    joints_to_features,
    local_joints,
)
from motiongpt.motion.recover import (
    features_to_joints,
    features_to_joints_by_rotation,
    recover_root,
)
from motiongpt.motion.skeleton import HUMANML3D, SKELETONS, Skeleton
from motiongpt.motion.uniform_skeleton import uniform_skeleton
from tests.golden.report import ReadArrays, Report

FEATURES = 2e-5
POSITIONS = 1e-5
ACCUMULATED = 1e-4
# Positions are right to 1e-5 m, and at 0.002 m² per frame² a foot moves 0.045 m.
MARGIN = 1e-3
N_CONTACTS = 4
ROUNDINGS = 4.0  # steps of arithmetic, each as far off as a rounded joint makes it


def check(path: Path, arrays: ReadArrays, report: Report, data: Path) -> None:
    """Check one file, whichever of the known arrays it holds."""
    case = f"feats/{path.name}"
    skeleton = _skeleton(arrays)
    if skeleton is None:
        report.unchecked(case, path.name, "holds neither features nor joints of a known width")
        return
    if "feet_thre" in arrays:
        skeleton = replace(skeleton, contact_threshold=float(arrays["feet_thre"]))
    offsets = _offsets(arrays, skeleton, data)
    if "joints" in arrays and offsets is not None:
        _check_forward(case, arrays, skeleton, offsets, report)
    if "global_positions" in arrays:
        _check_extraction(case, arrays, skeleton, report)
    if "features" in arrays:
        _check_backward(case, arrays, skeleton, offsets, report)
    if {"normalised", "denormalised", "feats2joints"} & set(arrays):
        _check_normalisation(case, arrays, skeleton, report, data)


def _skeleton(arrays: ReadArrays) -> Skeleton | None:
    """The skeleton whose number of features or joints the arrays have."""
    for skeleton in SKELETONS.values():
        if "features" in arrays and arrays.shape("features")[-1] == skeleton.n_features:
            return skeleton
        if "joints" in arrays and arrays.shape("joints")[-2:] == (skeleton.n_joints, 3):
            return skeleton
    return None


def _check_forward(
    case: str, arrays: ReadArrays, skeleton: Skeleton, offsets: Tensor, report: Report
) -> None:
    joints = torch.from_numpy(arrays["joints"])
    if "uniform_skeleton" in arrays:
        found = uniform_skeleton(joints, skeleton, offsets=offsets)
        report.compare(case, "uniform_skeleton", found, arrays["uniform_skeleton"], atol=POSITIONS)
    if "features" in arrays:
        make = partial(joints_to_features, skeleton=skeleton, offsets=offsets, released_turns=True)
        found, reach = make(joints), _rounding(make, joints)
        _compare_features(case, "features", found, arrays["features"], report, reach)
        if "l_velocity" in arrays:
            report.compare(case, "l_velocity", found[:, 1:3], arrays["l_velocity"], atol=FEATURES)
    placed = canonical_joints(joints, skeleton, offsets=offsets)
    if "global_positions" in arrays:
        report.compare(case, "global_positions", placed, arrays["global_positions"], atol=POSITIONS)
    if "contact_margin" in arrays:
        margin = _contact_margin(placed, skeleton)
        report.compare(case, "contact_margin", margin, arrays["contact_margin"], atol=MARGIN)
    if "ric_positions" in arrays:
        local = local_joints(placed, skeleton)
        report.compare(case, "ric_positions", local, arrays["ric_positions"], atol=FEATURES)


def _check_extraction(case: str, arrays: ReadArrays, skeleton: Skeleton, report: Report) -> None:
    if "extract_features_of_global" in arrays:
        placed = torch.from_numpy(arrays["global_positions"])
        make = partial(extract_features, skeleton=skeleton, released_turns=True)
        found, reach = make(placed), _rounding(make, placed)
        expected = arrays["extract_features_of_global"]
        _compare_features(case, "extract_features_of_global", found, expected, report, reach)


def _check_backward(
    case: str, arrays: ReadArrays, skeleton: Skeleton, offsets: Tensor | None, report: Report
) -> None:
    features = torch.from_numpy(arrays["features"])
    rotation, place = recover_root(features)
    if "root_quat" in arrays:
        report.compare(case, "root_quat", rotation, arrays["root_quat"], atol=ACCUMULATED)
    if "root_pos" in arrays:
        report.compare(case, "root_pos", place, arrays["root_pos"], atol=ACCUMULATED)
    if "recover_from_ric" in arrays:
        found = features_to_joints(features, skeleton)
        report.compare(
            case, "recover_from_ric", found, arrays["recover_from_ric"], atol=ACCUMULATED
        )
    if "recover_from_rot" in arrays and offsets is not None:
        found = features_to_joints_by_rotation(features, skeleton, offsets)
        report.compare(
            case, "recover_from_rot", found, arrays["recover_from_rot"], atol=ACCUMULATED
        )


def _check_normalisation(
    case: str, arrays: ReadArrays, skeleton: Skeleton, report: Report, data: Path
) -> None:
    """Statistics are MotionGPT's, from the `data` folder beside the case's."""
    statistics = [data / f"MotionGPT_{name}.npy" for name in ("mean", "std")]
    absent = [path.name for path in statistics if not path.is_file()]
    names = [name for name in ("normalised", "denormalised", "feats2joints") if name in arrays]
    if absent:
        for name in names:
            report.unchecked(case, name, f"data/ holds no {' and no '.join(absent)}")
        return
    mean, std = (torch.from_numpy(np.load(path, allow_pickle=False)) for path in statistics)
    if "normalised" in arrays and "features" in arrays:
        # In the precision of the statistics, as a loader does it; back in that of the features.
        features = torch.from_numpy(arrays["features"])
        found = ((features - mean) / std).to(features)
        report.compare(case, "normalised", found, arrays["normalised"], atol=FEATURES)
    if "normalised" not in arrays:
        return
    normalised = torch.from_numpy(arrays["normalised"])
    restored = normalised * std.to(normalised) + mean.to(normalised)
    if "denormalised" in arrays:
        report.compare(case, "denormalised", restored, arrays["denormalised"], atol=FEATURES)
    if "feats2joints" in arrays:
        found = features_to_joints(restored, skeleton)
        report.compare(case, "feats2joints", found, arrays["feats2joints"], atol=ACCUMULATED)


def _contact_margin(placed: Tensor, skeleton: Skeleton) -> Tensor:
    """How close the nearest foot comes to the threshold, as a fraction of it."""
    feet = placed[:, [*skeleton.feet_left, *skeleton.feet_right]]
    speed = feet.diff(dim=0).square().sum(-1)
    return (speed / skeleton.contact_threshold - 1).abs().min()


def _rounding(function: Callable[[Tensor], Tensor], joints: Tensor) -> np.ndarray:
    """How far rounding of the joints alone moves each feature, computed in float64.

    A bone that points almost straight back has no rotation that float32 could tell: two machines
    differ there by more than a tolerance, and so do the original's numbers from exact ones.
    """
    exact, rng = joints.double(), torch.Generator().manual_seed(0)
    step = exact.abs().max() * torch.finfo(torch.float32).eps
    found = function(exact)
    moved = [
        (function(exact + step * (torch.rand(exact.shape, generator=rng) - 0.5)) - found).abs()
        for _ in range(8)
    ]
    return torch.stack(moved).amax(0).numpy()


def _compare_features(
    case: str, name: str, found: Tensor, expected: np.ndarray, report: Report, reach: np.ndarray
) -> None:
    contacts, measured = f"{name}, contacts", f"{name}, all but contacts"
    end = -N_CONTACTS
    atol = FEATURES + ROUNDINGS * reach[..., :end]
    report.compare(case, measured, found[..., :end], expected[..., :end], atol=atol)
    report.exact(case, contacts, found[..., end:], expected[..., end:])


def _offsets(arrays: ReadArrays, skeleton: Skeleton, data: Path) -> Tensor | None:
    """Target offsets of the file, else HumanML3D's from `data` or as built in; KIT's are secret."""
    if "tgt_offsets" in arrays:
        return torch.from_numpy(arrays["tgt_offsets"])
    if skeleton.name != HUMANML3D.name:
        return None
    published = data / "t2m_tgt_offsets.npy"
    if published.is_file():
        return torch.from_numpy(np.load(published, allow_pickle=False))
    return skeleton.offsets()
