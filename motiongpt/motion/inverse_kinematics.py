"""Rotations of the joints from their positions, in HumanML3D's way.

All tensors here are laid out (J or components, …, B, T) as in joint_batch.py.
"""

import torch
from torch import Tensor
from torch.nn.functional import conv1d

from motiongpt.motion.rotations import between, conjugate, multiply, unit
from motiongpt.motion.skeleton import Skeleton

# Frames; HumanML3D smooths the heading with scipy's gaussian_filter1d, whose kernel ends at 4 sigma.
HEADING_SIGMA = 20
HEADING_RADIUS = 4 * HEADING_SIGMA


def forward_direction(across: Tensor) -> Tensor:
    """Horizontal vector (3, ...), not normalised, ahead of a body with `across` from left to right.

    It is the vertical crossed with `across`.
    """
    x, _, z = across.unbind(0)
    return torch.stack((z, torch.zeros_like(x), -x))


def heading_rotation(forward: Tensor) -> Tensor:
    """Rotation (4, ...) about the vertical that turns unit vectors (3, ...) to +Z."""
    ahead = forward.new_tensor((0.0, 0.0, 1.0)).view(3, *[1] * (forward.ndim - 1))
    return between(forward, ahead, dim=0)


def smoothed(signal: Tensor) -> Tensor:
    """Gaussian filter along the last dimension, edges repeated (scipy's mode "nearest").

    Runs in float64, as HumanML3D's did.
    """
    n_frames = signal.shape[-1]
    steps = torch.arange(-HEADING_RADIUS, HEADING_RADIUS + 1, dtype=torch.float64)
    kernel = torch.exp(-0.5 * (steps / HEADING_SIGMA) ** 2)
    kernel = (kernel / kernel.sum()).to(signal.device)
    rows = signal.reshape(-1, 1, n_frames).double()
    rows = torch.nn.functional.pad(rows, (HEADING_RADIUS, HEADING_RADIUS), mode="replicate")
    return conv1d(rows, kernel.view(1, 1, -1)).view(signal.shape)


def root_rotations(positions: Tensor, skeleton: Skeleton) -> Tensor:
    """Rotation (4, B, T) that turns each frame's smoothed heading to +Z.

    Two quirks of the published features are kept: the hips are taken the wrong way round against
    the shoulders, and frame 0 is always the identity. Frames past a clip's end must repeat its
    last frame, which is what the filter does at an edge.
    """
    right_hip, left_hip, right_shoulder, left_shoulder = skeleton.face_joints
    hips = positions[left_hip] - positions[right_hip]
    shoulders = positions[right_shoulder] - positions[left_shoulder]
    forward = smoothed(forward_direction(unit(hips + shoulders, dim=0)))
    rotation = heading_rotation(unit(forward, dim=0).to(positions.dtype))
    rotation[0, :, 0] = 1
    rotation[1:, :, 0] = 0
    return rotation


def bone_directions(positions: Tensor, skeleton: Skeleton) -> Tensor:
    """Unit vectors (J - 1, 3, B, T) from each joint's parent to it."""
    return unit(positions[1:] - positions[list(skeleton.parents[1:])], dim=1)


def bone_rotations(positions: Tensor, skeleton: Skeleton) -> Tensor:
    """World rotations (J - 1, 4, B, T) that take each rest direction to the bone's direction.

    The twist about the bone is not observed: the shortest rotation is taken.
    """
    rest = positions.new_tensor(skeleton.raw_offsets[1:])[:, :, None, None]
    return between(rest, bone_directions(positions, skeleton), dim=1)


def local_rotations(bones: Tensor, root: Tensor, skeleton: Skeleton) -> Tensor:
    """Rotations (J - 1, 4, B, T) of each bone relative to the one before it in its chain.

    Every chain starts from the root's rotation, arms too, though they leave from the spine.

    Args:
        bones: world rotations (J - 1, 4, B, T).
        root: the root's rotation (4, B, T).
    """
    before = torch.cat((root[None], bones))[predecessors(skeleton)]
    return multiply(conjugate(before, dim=1), bones, dim=1)


def predecessors(skeleton: Skeleton) -> list[int]:
    """For joints 1..J-1, the joint before it in its chain, 0 at the chain's start."""
    found = [0] * skeleton.n_joints
    for chain in skeleton.chains:
        for before, joint in zip(chain[1:], chain[2:], strict=False):
            found[joint] = before
    return found[1:]
