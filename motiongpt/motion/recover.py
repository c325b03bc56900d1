"""Joint positions from features: the way back of features.py."""

from itertools import pairwise

import torch
from torch import Tensor

from motiongpt.errors import UserError
from motiongpt.motion.rotations import conjugate, matrix_from_6d, quaternion_to_6d, turn_about_y
from motiongpt.motion.skeleton import Skeleton


def recover_root(features: Tensor) -> tuple[Tensor, Tensor]:
    """The root's rotation to +Z and its position, by adding up turns and steps along time.

    Args:
        features: (..., T, F), not normalised.

    Returns:
        Quaternions (..., T, 4) and positions (..., T, 3) in metres; frame 0 faces +Z over the
        origin.
    """
    turns = torch.zeros_like(features[..., 0])
    turns[..., 1:] = features[..., :-1, 0]
    angle = turns.cumsum(-1)
    nought = torch.zeros_like(angle)
    rotation = torch.stack((angle.cos(), nought, angle.sin(), nought), -1)
    steps = torch.zeros_like(features[..., :3])
    steps[..., 1:, 0] = features[..., :-1, 1]
    steps[..., 1:, 2] = features[..., :-1, 2]
    position = turn_about_y(conjugate(rotation), steps).cumsum(-2)
    position[..., 1] = features[..., 3]
    return rotation, position


def features_to_joints(features: Tensor, skeleton: Skeleton) -> Tensor:
    """Joints (..., T, J, 3) in metres from the positions in features (..., T, F).

    Raises:
        UserError: F is not the skeleton's.
    """
    _check_width(features, skeleton)
    rotation, position = recover_root(features)
    end = 4 + 3 * (skeleton.n_joints - 1)
    local = features[..., 4:end].unflatten(-1, (-1, 3))
    world = turn_about_y(conjugate(rotation)[..., None, :], local)
    world = world + position[..., None, :] * position.new_tensor((1, 0, 1))
    return torch.cat((position[..., None, :], world), dim=-2)


def features_to_joints_by_rotation(
    features: Tensor, skeleton: Skeleton, offsets: Tensor | None = None
) -> Tensor:
    """Joints (..., T, J, 3) in metres from the rotations in features (..., T, F).

    Bones keep the lengths of the target skeleton exactly; errors grow along each chain.

    Args:
        offsets: (J, 3) target offsets, the skeleton's own if None.

    Raises:
        UserError: F is not the skeleton's.
    """
    _check_width(features, skeleton)
    target = (skeleton.offsets() if offsets is None else offsets).to(features)
    rotation, position = recover_root(features)
    start = 4 + 3 * (skeleton.n_joints - 1)
    end = start + 6 * (skeleton.n_joints - 1)
    local = matrix_from_6d(features[..., start:end].unflatten(-1, (-1, 6)))
    root = matrix_from_6d(quaternion_to_6d(rotation))
    joints: list[Tensor] = [position] * skeleton.n_joints
    for chain in skeleton.chains:
        # Every chain starts from the root's rotation: see inverse_kinematics.along_chains.
        world = root
        for before, joint in pairwise(chain):
            world = world @ local[..., joint - 1, :, :]
            joints[joint] = joints[before] + world @ target[joint]
    return torch.stack(joints, dim=-2)


def _check_width(features: Tensor, skeleton: Skeleton) -> None:
    if features.ndim < 2 or features.shape[-1] != skeleton.n_features:
        raise UserError(
            f"features of shape {tuple(features.shape)} do not fit the skeleton "
            f"{skeleton.name!r}: give (..., frames, {skeleton.n_features})"
        )
