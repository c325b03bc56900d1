"""Joints of a BVH file in one call, for tests of what reads such files."""

from pathlib import Path

import numpy as np

from motiongpt.data.bvh import read_bvh
from motiongpt.data.bvh_joints import mapped_joints
from motiongpt.data.joint_mapping import JointMapping, load_mapping
from motiongpt.data.own_bvh import mapping_of


def bvh_to_joints(
    path: Path,
    mapping: JointMapping | str | Path | None = None,
    fps: float = 20.0,
    metres_per_unit: float | None = None,
    up_axis: str | None = None,
) -> np.ndarray:
    """Joints (T, 22, 3) float32 metres at `fps`, Y up.

    Args:
        mapping: a mapping, the name of one that comes with the package, or the path of a yaml;
            None takes the shipped mapping that fits the file's joint names.
        metres_per_unit, up_axis: instead of the mapping's.
    """
    bvh = read_bvh(path)
    if mapping is None:
        mapping = mapping_of(bvh, f"{path}:{bvh.motion_line}")
    elif not isinstance(mapping, JointMapping):
        mapping = load_mapping(mapping)
    return mapped_joints(bvh, mapping.with_units(metres_per_unit, up_axis), fps, str(path))
