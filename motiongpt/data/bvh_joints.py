"""A BVH file to the joints of the HumanML3D skeleton.

Shape letters: T frames.
"""

from dataclasses import replace

import numpy as np

from motiongpt.data.bvh import Bvh
from motiongpt.data.bvh_forward import position_parts
from motiongpt.data.bvh_hierarchy import BvhJoint
from motiongpt.data.joint_mapping import JointMapping
from motiongpt.data.mapped_positions import mapped_positions, resampled


def mapped_joints(bvh: Bvh, mapping: JointMapping, fps: float, file: str) -> np.ndarray:
    """Joints (T, 22, 3) float32 metres at `fps`, Y up; `file` stands in complaints.

    World position, height and heading are the file's own, and bones keep the performer's lengths.

    Args:
        mapping: with the file's units.

    Raises:
        UserError: joints missing, or a body of no person's size.
    """
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
