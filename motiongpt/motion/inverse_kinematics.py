"""Rotations of the joints from their positions, in HumanML3D's way.

All tensors here are laid out (J or components, …, B, T) as in joint_batch.py.
"""

import torch
from torch import Tensor

from motiongpt.motion.rotations import between, multiply, relative, unit
from motiongpt.motion.skeleton import Skeleton

# Frames. HumanML3D smooths the heading with scipy's gaussian_filter1d, which ends at 4 sigma.
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
    """Gaussian filter along the last dimension, edges repeated (scipy's mode "nearest")."""
    steps = torch.arange(HEADING_RADIUS + 1, dtype=torch.float64)
    kernel = torch.exp(-0.5 * (steps / HEADING_SIGMA) ** 2)
    weights: list[float] = (kernel / (kernel[0] + 2 * kernel[1:].sum())).tolist()
    n_frames = signal.shape[-1]
    edges = (HEADING_RADIUS, HEADING_RADIUS)
    rows = signal.reshape(-1, n_frames)
    rows = torch.nn.functional.pad(rows[None], edges, mode="replicate")[0]
    total = weights[0] * signal.reshape(-1, n_frames)
    for step in range(HEADING_RADIUS, 0, -1):
        before = rows[:, HEADING_RADIUS - step :][:, :n_frames]
        after = rows[:, HEADING_RADIUS + step :][:, :n_frames]
        total.add_(before + after, alpha=weights[step])
    return total.view(signal.shape)


def root_rotations(positions: Tensor, skeleton: Skeleton, smooth: bool = True) -> Tensor:
    """Rotation (4, B, T) that turns each frame's heading to +Z.

    Two quirks of the published features are kept: the hips are taken the wrong way round against
    the shoulders, and frame 0 is always the identity. Frames past a clip's end must repeat its
    last frame, which is what the filter does at an edge.

    Args:
        smooth: filter the heading along time first, as the features do.
    """
    right_hip, left_hip, right_shoulder, left_shoulder = skeleton.face_joints
    hips = positions[left_hip] - positions[right_hip]
    shoulders = positions[right_shoulder] - positions[left_shoulder]
    # float64 between here and the quaternion, as HumanML3D had it.
    forward = forward_direction(unit(hips + shoulders, dim=0)).double()
    if smooth:
        forward[::2] = smoothed(forward[::2])
    rotation = heading_rotation(unit(forward, dim=0).to(positions.dtype))
    rotation[0, :, 0] = 1
    rotation[1:, :, 0] = 0
    return rotation


def bone_rotations(positions: Tensor, skeleton: Skeleton) -> Tensor:
    """World rotations (J - 1, 4, B, T) that take each rest direction to the bone's direction.

    The twist about the bone is not observed: the shortest rotation is taken.
    """
    bones = unit(positions[1:] - positions[list(skeleton.parents[1:])], dim=1)
    rest = positions.new_tensor(skeleton.raw_offsets[1:])[:, :, None, None]
    return between(rest, bones, dim=1)


def along_chains(
    bones: Tensor, root: Tensor, skeleton: Skeleton
) -> tuple[list[Tensor], list[Tensor]]:
    """Rotations relative to the joint before in the chain, and their product along the chain.

    Every chain starts from the root's rotation, arms too, though they leave from the spine. The
    product is `bones` again but for rounding, which the published features contain.

    Args:
        bones: world rotations (J - 1, 4, B, T).
        root: the root's rotation (4, B, T).

    Returns:
        Two lists of (4, B, T), one entry for each of the joints 1..J-1.
    """
    local = [root] * (skeleton.n_joints - 1)
    world = list(local)
    # Chains side by side, the longest first: those that go on are always the first ones.
    chains = sorted(skeleton.chains, key=len, reverse=True)
    start = root.expand(len(chains), *root.shape)
    for step in range(1, len(chains[0])):
        joints = [chain[step] - 1 for chain in chains if len(chain) > step]
        start = start[: len(joints)]
        turn = relative(start, bones[joints], dim=1)
        start = multiply(start, turn, dim=1)
        for position, joint in enumerate(joints):
            local[joint], world[joint] = turn[position], start[position]
    return local, world
