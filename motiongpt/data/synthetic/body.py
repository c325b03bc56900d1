"""Kinematics: from a `Pose` to the 22 joints of HumanML3D's skeleton."""

import numpy as np

from motiongpt.data.synthetic.curves import running_maximum, smooth
from motiongpt.data.synthetic.pose import LEFT, RIGHT, Pose, outward
from motiongpt.motion.skeleton import HUMANML3D

J = {name: index for index, name in enumerate(HUMANML3D.joint_names)}
BONE = np.asarray(HUMANML3D.bone_lengths, dtype=float)
ANKLE_HEIGHT = 0.06  # metres above the floor when the sole is flat, as in HumanML3D's clips
HEEL = 0.04  # metres from the point under the ankle back to the heel
MAX_STRETCH = 0.997  # of the leg's length; a knee never locks
NAMES = ("left", "right")

# Directions of the bones of a person at attention, facing +Z, left side; the right is mirrored.
_REST = {
    "hip": (0.058, -0.083, -0.010),
    "spine1": (0.0, 0.128, -0.028),
    "spine2": (0.0, 0.142, 0.014),
    "spine3": (0.0, 0.057, 0.004),
    "neck": (0.0, 0.217, -0.030),
    "head": (0.0, 0.090, 0.050),
    "collar": (0.075, 0.113, -0.020),
    "shoulder": (0.126, -0.028, -0.015),
}


def _offset(name: str, side: int | None = None) -> np.ndarray:
    """(3,) the bone that ends in a joint, at rest, in metres."""
    joint = name if side is None else f"{NAMES[side]}_{name}"
    direction = np.array(_REST[name])
    if side == RIGHT:
        direction[0] *= -1.0
    return direction / np.linalg.norm(direction) * BONE[J[joint]]


def _about(axis: int, angle: np.ndarray) -> np.ndarray:
    """(T, 3, 3) rotations by `angle` (T,) about x, y or z."""
    cos, sin = np.cos(angle), np.sin(angle)
    out = np.zeros((len(angle), 3, 3))
    i, j = (axis + 1) % 3, (axis + 2) % 3
    out[:, axis, axis] = 1.0
    out[:, i, i] = out[:, j, j] = cos
    out[:, i, j], out[:, j, i] = -sin, sin
    return out


def _trunk(angles: np.ndarray) -> np.ndarray:
    """(T, 3, 3) from (T, 3) lean forward, lean to the left, twist to the left."""
    forward, side, twist = angles.T
    return _about(1, twist) @ _about(0, forward) @ _about(2, -side)


def _bend(
    root: np.ndarray, end: np.ndarray, pole: np.ndarray, upper: float, lower: float
) -> tuple[np.ndarray, np.ndarray]:
    """Middle and end (T, 3) of a two-bone limb from `root` towards `end`, bent towards `pole`.

    The end is pulled in where it lies out of reach, so that bones always keep their length.
    """
    line = end - root
    distance = np.linalg.norm(line, axis=1, keepdims=True)
    direction = line / np.maximum(distance, 1e-9)
    near, far = abs(upper - lower) + 0.02, (upper + lower) * 0.9995
    distance = np.clip(distance, near, far)
    along = (upper**2 - lower**2 + distance**2) / (2.0 * distance)
    across = pole - (pole * direction).sum(axis=1, keepdims=True) * direction
    across /= np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    height = np.sqrt(np.maximum(upper**2 - along**2, 0.0))
    return root + along * direction + height * across, root + distance * direction


def _foot(pose: Pose, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Ankle and toe joints (T, 3): a flat sole rolled about its ball or its heel."""
    length = np.sqrt(BONE[J[f"{NAMES[side]}_foot"]] ** 2 - ANKLE_HEIGHT**2)
    pitch = pose.foot_pitch[:, side]
    # y, z in the foot's own plane; the pivot is the ball while the heel is up, else the heel
    pivot = np.where(pitch > 0, length, -HEEL)
    cos, sin = np.cos(pitch), np.sin(pitch)

    def rolled(y: float, z: float) -> np.ndarray:
        ahead = z - pivot
        local = np.stack(
            [np.zeros_like(pitch), y * cos - ahead * sin, y * sin + ahead * cos + pivot], axis=1
        )
        turn = _about(1, pose.foot_yaw[:, side])
        return pose.feet[:, side] + np.einsum("tij,tj->ti", turn, local)

    return rolled(ANKLE_HEIGHT, 0.0), rolled(0.0, length)


def _settle(pelvis: np.ndarray, hips: np.ndarray, ankles: np.ndarray) -> np.ndarray:
    """Lower the pelvis (T, 3) smoothly where a leg would be too short. hips, ankles (2, T, 3)."""
    drop = np.zeros(len(pelvis))
    for side in (LEFT, RIGHT):
        reach = MAX_STRETCH * (BONE[J[f"{NAMES[side]}_knee"]] + BONE[J[f"{NAMES[side]}_ankle"]])
        line = hips[side] - ankles[side]
        level = np.sqrt(np.maximum(reach**2 - line[:, 0] ** 2 - line[:, 2] ** 2, 0.0))
        drop = np.maximum(drop, line[:, 1] - level)
    # the kernel of `smooth` is 2.5 * 0.06 s = 3 frames wide on either side, as is the filter:
    # the smoothed drop is nowhere less than the drop that is needed
    lowered = pelvis.copy()
    lowered[:, 1] -= smooth(running_maximum(drop, 7), 0.06)
    return lowered


def _arm(
    pose: Pose, side: int, chest: np.ndarray, centre: np.ndarray, collar: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Shoulder, elbow and wrist (T, 3). chest (T, 3, 3); centre is spine3's position."""
    flex, spread, roll, elbow = pose.arms[:, side].T
    sign = outward(side)
    # the shoulder blade turns upward with the arm, about a third of the way beyond 40 degrees
    raised = np.arccos(np.clip(np.cos(flex) * np.cos(spread), -1.0, 1.0))
    lift = 0.3 * np.logaddexp(0.0, 6.0 * (raised - 0.7)) / 6.0
    girdle = chest @ _about(2, sign * lift)
    shoulder = collar + girdle @ _offset("shoulder", side)
    upper = chest @ _about(2, sign * spread) @ _about(0, -flex) @ _about(1, sign * roll)
    fore = upper @ _about(0, -elbow)
    upper_length = BONE[J[f"{NAMES[side]}_elbow"]]
    fore_length = BONE[J[f"{NAMES[side]}_wrist"]]
    elbow_position = shoulder - upper[:, :, 1] * upper_length
    wrist = elbow_position - fore[:, :, 1] * fore_length
    weight = pose.reach_weight[:, side, None]
    if not weight.any():
        return shoulder, elbow_position, wrist
    target = centre + np.einsum("tij,tj->ti", chest, pose.reach[:, side])
    outside_down = chest @ np.array([sign * 0.6, -1.0, -0.4])
    pole = (1.0 - weight) * (elbow_position - shoulder) / upper_length + weight * outside_down
    aim = (1.0 - weight) * wrist + weight * target
    return shoulder, *_bend(shoulder, aim, pole, upper_length, fore_length)


def joints(pose: Pose) -> np.ndarray:
    """(T, 22, 3) float32 metres of a pose over T frames."""
    out = np.empty((pose.frames, len(J), 3))
    facing = _about(1, pose.heading)
    pelvis_turn = facing @ _trunk(pose.hips)
    feet = [_foot(pose, side) for side in (LEFT, RIGHT)]
    hips = np.stack([pose.pelvis + pelvis_turn @ _offset("hip", side) for side in (LEFT, RIGHT)])
    pelvis = _settle(pose.pelvis, hips, np.stack([ankle for ankle, _ in feet]))
    out[:, J["pelvis"]] = pelvis
    for side in (LEFT, RIGHT):
        _leg(out, pose, side, pelvis_turn, feet[side])
    third = _trunk(pose.spine / 3.0)
    turn, position = pelvis_turn, pelvis
    for name in ("spine1", "spine2", "spine3"):
        position = position + turn @ _offset(name)
        out[:, J[name]] = position
        turn = turn @ third
    out[:, J["neck"]] = position + turn @ _offset("neck")
    # people look ahead: the neck takes back half of the trunk's lean
    lean = pose.hips + pose.spine
    balance = np.stack([-0.5 * lean[:, 0], -0.5 * lean[:, 1], -0.7 * lean[:, 2]], axis=1)
    head_turn = turn @ _trunk(pose.head + balance)
    out[:, J["head"]] = out[:, J["neck"]] + head_turn @ _offset("head")
    for side in (LEFT, RIGHT):
        collar = position + turn @ _offset("collar", side)
        out[:, J[f"{NAMES[side]}_collar"]] = collar
        limb = _arm(pose, side, turn, position, collar)
        for part, where in zip(("shoulder", "elbow", "wrist"), limb, strict=True):
            out[:, J[f"{NAMES[side]}_{part}"]] = where
    return out.astype(np.float32)


def _leg(
    out: np.ndarray,
    pose: Pose,
    side: int,
    pelvis_turn: np.ndarray,
    foot: tuple[np.ndarray, np.ndarray],
) -> None:
    """Write hip, knee, ankle and toe of one side into `out` (T, 22, 3), whose pelvis is set."""
    ankle, toe = foot
    hip = out[:, J["pelvis"]] + pelvis_turn @ _offset("hip", side)
    # a knee is a hinge: its axis lies between the pelvis's left and the foot's left
    left = pelvis_turn[:, :, 0] + _about(1, pose.foot_yaw[:, side])[:, :, 0]
    knee, reached = _bend(
        hip,
        ankle,
        np.cross(ankle - hip, left),
        BONE[J[f"{NAMES[side]}_knee"]],
        BONE[J[f"{NAMES[side]}_ankle"]],
    )
    for part, where in zip(
        ("hip", "knee", "ankle", "foot"), (hip, knee, reached, toe + reached - ankle), strict=True
    ):
        out[:, J[f"{NAMES[side]}_{part}"]] = where


__all__ = ["ANKLE_HEIGHT", "J", "joints"]
