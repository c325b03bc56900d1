"""Every clip on the same body: bone directions kept, bone lengths replaced."""

import torch
from torch import Tensor

from motiongpt.errors import UserError
from motiongpt.motion.inverse_kinematics import along_chains, bone_rotations, root_rotations
from motiongpt.motion.joint_batch import JointBatch, Lengths
from motiongpt.motion.rotations import rotate
from motiongpt.motion.skeleton import Skeleton


def uniform_skeleton(
    joints: Tensor, skeleton: Skeleton, lengths: Lengths = None, offsets: Tensor | None = None
) -> Tensor:
    """Joints (T, J, 3) or (B, T, J, 3) in metres, moved onto the target skeleton.

    The root's path is scaled by the ratio of the leg lengths.

    Args:
        lengths: (B,) frames of each clip; frames past them come back as zeros.
        offsets: (J, 3) target offsets in metres along the raw directions; the skeleton's own if
            None.

    Raises:
        UserError: shapes, lengths or values that make no clip.
    """
    batch = JointBatch.of(joints, skeleton, lengths)
    moved = with_offsets(batch.positions, skeleton, offsets)
    return batch.joints(moved.to(batch.positions.dtype))


def with_offsets(positions: Tensor, skeleton: Skeleton, offsets: Tensor | None) -> Tensor:
    """The same on positions (J, 3, B, T), in float64, in which HumanML3D adds up the bones."""
    target = (skeleton.offsets() if offsets is None else offsets).to(positions)
    if tuple(target.shape) != (skeleton.n_joints, 3):
        raise UserError(
            f"target offsets of shape {tuple(target.shape)} do not fit the skeleton "
            f"{skeleton.name!r}: give ({skeleton.n_joints}, 3)"
        )
    root = root_rotations(positions, skeleton, smooth=False)
    _, world = along_chains(bone_rotations(positions, skeleton), root, skeleton)
    bones = rotate(torch.stack(world), target[1:, :, None, None], dim=1)
    moved = torch.empty(positions.shape, dtype=torch.float64, device=positions.device)
    moved[0] = positions[0] * _leg_ratio(positions, skeleton, target)[:, None]
    for joint, parent in enumerate(skeleton.parents[1:], start=1):
        torch.add(moved[parent], bones[joint - 1], out=moved[joint])
    return moved


def _leg_ratio(positions: Tensor, skeleton: Skeleton, target: Tensor) -> Tensor:
    """Target leg over the leg of each clip's first frame, (B,)."""
    legs = list(skeleton.leg_joints)
    parents = [skeleton.parents[leg] for leg in legs]
    first = positions[..., 0]
    bones = (first[legs] - first[parents]).movedim(1, -1).contiguous()
    source = torch.linalg.vector_norm(bones, dim=-1).sum(0)
    # The published code takes the largest component: raw directions lie along the axes.
    return target[legs].abs().amax(1).sum() / source
