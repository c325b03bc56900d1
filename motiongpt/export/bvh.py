"""Joints to BVH: one skeleton, and rotations that carry it through the clip.

Joints alone leave two things open. The twist of a bone about itself is not observed: the shortest
turn from the rest pose is taken. And bones of generated motion breathe: a bone that leaves its mean
length or its offset by more than `RIGID` gets position channels, the others have rotations only, so
that the file holds what the clip shows. Where a joint carries several bones (pelvis, chest) they
turn as one: their rest pose is what best fits the clip.

Metres, Y up. Shape letters: T frames, J joints, C children.
"""

from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from motiongpt.motion.skeleton import Skeleton

ORDER = "ZXY"  # of the rotation channels, the first outermost
FITS = 3  # rounds of fitting the rest pose of joints with several bones
RIGID = 0.003  # metres; a bone that moves less within the body has no position channels
END_SITE = 0.08  # metres beyond a hand, a foot or the head, for programs that draw bones to there


@dataclass(frozen=True)
class Rig:
    """A skeleton and what moves it.

    Attributes:
        offsets: (J, 3) from the parent in the rest pose.
        positions: (J, T, 3) from the parent in the parent's axes; the root's in the world.
        rotations: (J, T, 3, 3) within the parent.
        moving: (J,) bool, True where `positions` leave `offsets`.
    """

    offsets: np.ndarray
    positions: np.ndarray
    rotations: np.ndarray
    moving: np.ndarray


def bvh_text(joints: np.ndarray, skeleton: Skeleton, fps: float) -> str:
    """The text of a BVH file of joints (T, J, 3) in metres.

    Joints are called as the skeleton's, so that they are found again.
    """
    rig = rig_of(np.asarray(joints, np.float64), skeleton)
    children = _children(skeleton)
    columns = []
    for joint in _in_file_order(children, 0):
        if rig.moving[joint]:
            columns.append(rig.positions[joint])
        angles = Rotation.from_matrix(rig.rotations[joint]).as_euler(ORDER, degrees=True)
        columns.append(np.unwrap(angles, axis=0, period=360))
    lines = ["HIERARCHY", *_hierarchy(skeleton, children, rig, 0, 0), "MOTION"]
    lines += [f"Frames: {len(joints)}", f"Frame Time: {1 / fps:.8f}"]
    rows = np.concatenate(columns, axis=1)
    lines += [" ".join(f"{value:.6f}" for value in row) for row in rows]
    return "\n".join(lines) + "\n"


def rig_of(joints: np.ndarray, skeleton: Skeleton) -> Rig:
    """The skeleton that fits joints (T, J, 3), and its movement."""
    frames, children_of = len(joints), _children(skeleton)
    offsets = rest_offsets(joints, skeleton)
    rotations = np.tile(np.eye(3), (skeleton.n_joints, frames, 1, 1))
    world = rotations.copy()
    positions = np.tile(offsets[:, None], (1, frames, 1))
    positions[0] = joints[:, 0]
    moving = np.zeros(skeleton.n_joints, bool)
    moving[0] = True
    posed = joints.copy()
    for joint in _in_file_order(children_of, 0):
        parent, children = skeleton.parents[joint], children_of[joint]
        above = world[parent] if parent >= 0 else rotations[0].copy()
        if children:
            wanted = np.einsum("tji,tcj->tci", above, joints[:, children] - posed[:, [joint]])
            rotations[joint] = _rotations_to(offsets[children], wanted)
        world[joint] = above @ rotations[joint]
        for child in children:
            inside = np.einsum("tji,tj->ti", world[joint], joints[:, child] - posed[:, joint])
            moving[child] = np.linalg.norm(inside - offsets[child], axis=-1).max() > RIGID
            if moving[child]:
                positions[child] = inside
            else:
                posed[:, child] = posed[:, joint] + world[joint] @ offsets[child]
    return Rig(offsets, positions, rotations, moving)


def rest_offsets(joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Offsets (J, 3) from the parent in the rest pose, bones of the clip's mean lengths."""
    offsets = np.zeros((skeleton.n_joints, 3))
    raw = np.asarray(skeleton.raw_offsets)
    for joint, children in enumerate(_children(skeleton)):
        if not children:
            continue
        bones = joints[:, children] - joints[:, [joint]]
        lengths = np.linalg.norm(bones, axis=-1).mean(0)
        rest = raw[children] * lengths[:, None]
        for _ in range(FITS if len(children) > 1 else 0):
            turns = _fitting_rotations(rest, bones)
            rest = np.einsum("tji,tcj->tci", turns, bones).mean(0)
        norm = np.linalg.norm(rest, axis=-1, keepdims=True)
        offsets[children] = rest / np.maximum(norm, 1e-9) * lengths[:, None]
    return offsets


def _rotations_to(rest: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(T, 3, 3) turning bones (C, 3) as near as can be to (T, C, 3)."""
    return _fitting_rotations(rest, wanted) if len(rest) > 1 else _shortest(rest[0], wanted[:, 0])


def _fitting_rotations(rest: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Kabsch's algorithm for all frames at once: (T, 3, 3)."""
    left, _, right = np.linalg.svd(np.einsum("tci,cj->tij", wanted, rest))
    signs = np.ones((len(wanted), 1, 3))
    signs[:, 0, 2] = np.sign(np.linalg.det(left @ right))
    return (left * signs) @ right


def _shortest(rest: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """(T, 3, 3): the shortest turn of (3,) to the direction of (T, 3)."""
    start = rest / max(float(np.linalg.norm(rest)), 1e-9)
    end = wanted / np.maximum(np.linalg.norm(wanted, axis=-1, keepdims=True), 1e-9)
    axis = np.cross(start, end)
    sine = np.linalg.norm(axis, axis=-1)
    angle = np.arctan2(sine, end @ start)
    aside = np.cross(start, np.eye(3)[int(np.abs(start).argmin())])
    axis[sine < 1e-9] = aside / np.linalg.norm(aside)  # half a turn, or none: any axis across
    axis /= np.linalg.norm(axis, axis=-1, keepdims=True)
    return Rotation.from_rotvec(axis * angle[:, None]).as_matrix()


def _children(skeleton: Skeleton) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in skeleton.parents]
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            found[parent].append(joint)
    return found


def _in_file_order(children: list[list[int]], joint: int) -> list[int]:
    return [
        joint,
        *(below for child in children[joint] for below in _in_file_order(children, child)),
    ]


def _hierarchy(
    skeleton: Skeleton, children: list[list[int]], rig: Rig, joint: int, depth: int
) -> list[str]:
    margin, inner = "\t" * depth, "\t" * (depth + 1)
    turns = " ".join(f"{axis}rotation" for axis in ORDER)
    root, moves = skeleton.parents[joint] < 0, rig.moving[joint]
    channels = f"6 Xposition Yposition Zposition {turns}" if moves else f"3 {turns}"
    lines = [
        f"{margin}{'ROOT' if root else 'JOINT'} {skeleton.joint_names[joint]}",
        margin + "{",
        inner + _offset(rig.offsets[joint]),
        f"{inner}CHANNELS {channels}",
    ]
    for child in children[joint]:
        lines += _hierarchy(skeleton, children, rig, child, depth + 1)
    if not children[joint]:
        beyond = np.asarray(skeleton.raw_offsets[joint]) * END_SITE
        lines += [inner + "End Site", inner + "{", f"{inner}\t{_offset(beyond)}", inner + "}"]
    return [*lines, margin + "}"]


def _offset(vector: np.ndarray) -> str:
    return "OFFSET " + " ".join(f"{value:.6f}" for value in vector)
