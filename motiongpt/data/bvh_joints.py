"""A BVH file to the joints of the HumanML3D skeleton.

Shape letters: T frames.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from motiongpt.data.bvh import Bvh, read_bvh
from motiongpt.data.bvh_forward import position_parts
from motiongpt.data.bvh_hierarchy import BvhJoint
from motiongpt.data.joint_mapping import JointMapping, load_mapping
from motiongpt.data.mapped_positions import mapped_positions, resampled
from motiongpt.data.own_bvh import mapping_of


def bvh_to_joints(
    path: Path,
    mapping: JointMapping | str | Path | None = None,
    fps: float = 20.0,
    metres_per_unit: float | None = None,
    up_axis: str | None = None,
) -> np.ndarray:
    """Joints of one file, (T, 22, 3) float32 metres at `fps`, Y up.

    World position, height and heading are the file's own, and bones keep the performer's lengths.

    Args:
        mapping: a mapping, the name of one that comes with the package, or the path of a yaml;
            None takes the shipped mapping that fits the file's joint names.
        metres_per_unit, up_axis: instead of the mapping's.

    Raises:
        UserError: unreadable or malformed file, no mapping fits, joints missing, or a body of no
            person's size.
    """
    bvh = read_bvh(path)
    if mapping is None:
        mapping = mapping_of(bvh, f"{path}:{bvh.motion_line}")
    elif not isinstance(mapping, JointMapping):
        mapping = load_mapping(mapping)
    return mapped_joints(bvh, mapping.with_units(metres_per_unit, up_axis), fps, str(path))


def mapped_joints(bvh: Bvh, mapping: JointMapping, fps: float, file: str) -> np.ndarray:
    """As `bvh_to_joints`, of a file already parsed; `file` stands in complaints."""
    where = f"{file}:{bvh.motion_line}"
    parts = position_parts(with_restored(bvh, mapping))
    return resampled(mapped_positions(bvh.joint_names, parts, mapping, file, where), bvh.fps, fps)


def with_restored(bvh: Bvh, mapping: JointMapping) -> Bvh:
    """The bones that the mapping restores: each is taken to be as the one that ends in its joint.

    The cgspeed conversions of CMU's captures put neck and collars where the thorax begins (OFFSET 0
    0 0), so that bodies lack 11 cm; the three bones of CMU's spines differ by a percent or so.
    """

    def offset(joint: BvhJoint) -> tuple[float, float, float]:
        if joint.parent < 0 or joint.offset != (0.0, 0.0, 0.0):
            return joint.offset
        parent = bvh.joints[joint.parent]
        return parent.offset if mapping.bare(parent.name) in mapping.restore else joint.offset

    if not mapping.restore:
        return bvh
    return replace(bvh, joints=tuple(replace(one, offset=offset(one)) for one in bvh.joints))


def on_the_floor(joints: np.ndarray) -> np.ndarray:
    """The clip lowered or raised as a whole, so that its lowest joint is at height 0."""
    return joints - np.array([0.0, joints[..., 1].min(), 0.0], dtype=joints.dtype)
