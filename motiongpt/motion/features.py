"""HumanML3D's features of a motion (263 channels, KIT 251) from joint positions.

Channels, J joints: root turn per frame (half angle, radians), root velocity x z (metres per frame),
root height, positions of joints 1.. (3 each, relative to the root and its heading), 6D rotations of
joints 1.., velocities of all joints (3 each, metres per frame), contacts of left ankle, left toe,
right ankle, right toe. T + 1 frames give T rows.

The quirks of the published features are kept, see `root_rotations`, but for one: where the heading,
seen from the clip's start, crosses 180 degrees, that row's turn has the wrong sign in them, so that
all that follows comes back turned away. `released_turns` keeps that too.
"""

import torch
from torch import Tensor

from motiongpt.errors import UserError
from motiongpt.motion.inverse_kinematics import (
    along_chains,
    bone_rotations,
    forward_direction,
    heading_rotation,
    root_rotations,
)
from motiongpt.motion.joint_batch import JointBatch, Lengths
from motiongpt.motion.rotations import quaternion_to_6d, turn_about_y, unit
from motiongpt.motion.skeleton import Skeleton
from motiongpt.motion.uniform_skeleton import with_offsets


def joints_to_features(
    joints: Tensor,
    skeleton: Skeleton,
    lengths: Lengths = None,
    *,
    offsets: Tensor | None = None,
    uniform: bool = True,
    released_turns: bool = False,
) -> Tensor:
    """Features (T, F) or (B, T, F) of joints (T + 1, J, 3) or (B, T + 1, J, 3) in metres, Y up.

    Each clip is moved onto the target skeleton, put on the floor and the origin, and turned to
    face +Z in its first frame.

    Args:
        lengths: (B,) frames of each clip, n giving n - 1 rows; rows past them are zeros, and what
            stands in the frames past them has no influence.
        offsets: (J, 3) target offsets, the skeleton's own if None.
        uniform: False keeps the clip's own bone lengths.
        released_turns: the wrong signs of the published features, see above.

    Raises:
        UserError: shapes, lengths or values that make no clip.
    """
    batch = JointBatch.of(joints, skeleton, lengths)
    placed = _prepared(batch, skeleton, offsets, uniform)
    return batch.rows(_extracted(placed, skeleton, released_turns))


def canonical_joints(
    joints: Tensor,
    skeleton: Skeleton,
    lengths: Lengths = None,
    *,
    offsets: Tensor | None = None,
    uniform: bool = True,
) -> Tensor:
    """The joints that `joints_to_features` describes, all T + 1 frames of them.

    On the target skeleton, the lowest joint of the clip at height 0, the root of frame 0 over the
    origin, frame 0 facing +Z. Arguments and errors as there.
    """
    batch = JointBatch.of(joints, skeleton, lengths)
    return batch.joints(_prepared(batch, skeleton, offsets, uniform))


def extract_features(
    joints: Tensor, skeleton: Skeleton, lengths: Lengths = None, *, released_turns: bool = False
) -> Tensor:
    """Features of joints as they stand: nothing is scaled, moved or turned first."""
    batch = JointBatch.of(joints, skeleton, lengths)
    return batch.rows(_extracted(batch.positions, skeleton, released_turns))


def local_joints(joints: Tensor, skeleton: Skeleton, lengths: Lengths = None) -> Tensor:
    """All joints and frames relative to the root's position on the floor and its heading."""
    batch = JointBatch.of(joints, skeleton, lengths)
    root = root_rotations(batch.positions, skeleton)
    return batch.joints(_relative_to_root(batch.positions, root))


def _prepared(
    batch: JointBatch, skeleton: Skeleton, offsets: Tensor | None, uniform: bool
) -> Tensor:
    positions = batch.positions
    if uniform:
        positions = with_offsets(positions, skeleton, offsets)
    return _facing_ahead(_on_the_floor(positions), skeleton, batch.positions.dtype)


def _on_the_floor(positions: Tensor) -> Tensor:
    """Lowest point of each clip at height 0, the root of frame 0 at x = z = 0."""
    origin = positions[0, :, :, 0].clone()
    origin[1] = positions[:, 1].amin(dim=(0, 2))
    return positions - origin[:, :, None]


def _facing_ahead(positions: Tensor, skeleton: Skeleton, dtype: torch.dtype) -> Tensor:
    right_hip, left_hip, right_shoulder, left_shoulder = skeleton.face_joints
    first = positions[..., 0]
    hips = first[right_hip] - first[left_hip]
    across = hips + (first[right_shoulder] - first[left_shoulder])
    forward = unit(forward_direction(unit(across, dim=0)), dim=0)
    rotation = heading_rotation(forward.to(dtype))
    return turn_about_y(rotation[None, ..., None], positions.to(dtype), dim=1)


def _relative_to_root(positions: Tensor, root: Tensor) -> Tensor:
    origin = positions[0].clone()
    origin[1] = 0
    return turn_about_y(root[None], positions - origin, dim=1)


def _extracted(positions: Tensor, skeleton: Skeleton, released_turns: bool) -> Tensor:
    """Channels (F, B, T) of positions (J, 3, B, T + 1)."""
    root = root_rotations(positions, skeleton)
    now, following = root[..., :-1], root[..., 1:]
    steps = positions[..., 1:] - positions[..., :-1]
    turn = (now[0] * following[2] - following[0] * now[2]).asin()
    if not released_turns:
        # A rotation is two quaternions; the shorter turn is that of the one with positive w.
        turn = torch.where(now[0] * following[0] + now[2] * following[2] < 0, -turn, turn)
    root_velocity = turn_about_y(following, steps[0], dim=0)
    local, _ = along_chains(bone_rotations(positions[..., :-1], skeleton), now, skeleton)
    features = torch.cat(
        (
            turn[None],
            root_velocity[[0, 2]],
            positions[0, 1:2, :, :-1],
            _relative_to_root(positions[..., :-1], now)[1:].flatten(0, 1),
            quaternion_to_6d(torch.stack(local), dim=1).flatten(0, 1),
            turn_about_y(now[None], steps, dim=1).flatten(0, 1),
            _contacts(steps, skeleton),
        )
    )
    _refuse_degenerate(features)
    return features


def _contacts(steps: Tensor, skeleton: Skeleton) -> Tensor:
    """1 where a foot moves slower than the threshold, (4, B, T)."""
    feet = steps[[*skeleton.feet_left, *skeleton.feet_right]]
    return (feet.square().sum(1) < skeleton.contact_threshold).to(steps.dtype)


def _refuse_degenerate(features: Tensor) -> None:
    if bool(torch.isfinite(features.sum())):
        return
    clip, frame = (~torch.isfinite(features)).any(0).nonzero()[0].tolist()
    raise UserError(
        f"clip {clip}: at frame {frame} two neighbouring joints coincide or hips and shoulders "
        "show no heading; repair or drop the clip"
    )
