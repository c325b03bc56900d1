"""Joints to BVH: one skeleton, and rotations that carry it through the clip.

A body whose bones keep their lengths has rotations only, and a root that travels. Bones of a
stretched motion breathe: one that leaves its mean length or its offset by more than `RIGID` gets
position channels, so that the file holds what the clip shows.

The rest pose is a T (motiongpt/motion/rest_pose.py), Y up. Shape letters: T frames, J joints.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.transform import Rotation

from motiongpt.motion.rigid import RigidMotion, children_of, is_rigid, rigid_motion
from motiongpt.motion.skeleton import Skeleton

# Rotation channels, the first outermost. The middle angle must stay away from 90 degrees, where the
# others jump: a sitting person's thighs are turned about X by just that.
ORDER, LEG_ORDER = "ZXY", "XYZ"
LEGS = ("hip", "knee")
RIGID = 0.003  # metres; a bone that moves less within the body has no position channels
END_SITE = 0.08  # metres beyond a hand, a foot or the head, for programs that draw bones to there


@dataclass(frozen=True)
class Rig:
    """A rigid motion, and what leaves it.

    Attributes:
        body: the skeleton and its rotations.
        positions: (J, T, 3) from the parent in the parent's axes; the root's in the world.
        moving: (J,) bool, True where `positions` leave the offsets, and for the root.
    """

    body: RigidMotion
    positions: np.ndarray
    moving: np.ndarray


def bvh_text(
    joints: np.ndarray,
    skeleton: Skeleton,
    fps: float,
    names: Sequence[str] = (),
    scale: float = 1.0,
) -> str:
    """The text of a BVH file of joints (T, J, 3) in metres.

    Args:
        names: of the J joints; the skeleton's where there are none.
        scale: units of the file per metre: 100 for centimetres.
    """
    rig = rig_of(np.asarray(joints, np.float64), skeleton, fps)
    file = _File(rig, tuple(names) or skeleton.joint_names, scale)
    return "\n".join(["HIERARCHY", *file.hierarchy(0, 0), "MOTION", *file.motion()]) + "\n"


def rig_of(joints: np.ndarray, skeleton: Skeleton, fps: float) -> Rig:
    """The skeleton that fits joints (T, J, 3), its movement, and what of it no rotation says."""
    body = rigid_motion(joints, skeleton, fps)
    moving = np.zeros(skeleton.n_joints, bool)
    moving[0] = True
    positions = np.repeat(body.offsets[:, None], len(joints), axis=1)
    positions[0] = joints[:, 0]
    if is_rigid(joints, skeleton):
        return Rig(body, positions, moving)
    world, posed = body.world(), joints.copy()
    for joint, parent in enumerate(skeleton.parents[1:], start=1):
        inside = np.einsum("tji,tj->ti", world[:, parent], joints[:, joint] - posed[:, parent])
        moving[joint] = np.linalg.norm(inside - body.offsets[joint], axis=-1).max() > RIGID
        if moving[joint]:
            positions[joint] = inside
        else:
            posed[:, joint] = posed[:, parent] + world[:, parent] @ body.offsets[joint]
    return Rig(body, positions, moving)


def continuous_angles(turns: np.ndarray, order: str) -> np.ndarray:
    """Angles (T, 3) in degrees of (T, 3, 3), each frame's as near as can be to the one before.

    Every rotation has two sets of angles: by the other one the first and last turn by half a turn.
    """
    found: np.ndarray = Rotation.from_matrix(turns).as_euler(order, degrees=True)
    other = np.stack([found[:, 0] + 180, 180 - found[:, 1], found[:, 2] + 180], axis=-1)
    for frame in range(1, len(found)):
        before = found[frame - 1]
        near = [one + 360 * np.round((before - one) / 360) for one in (found[frame], other[frame])]
        found[frame] = min(near, key=lambda one: float(np.abs(one - before).sum()))
    return found


class _File:
    """The lines of one file."""

    def __init__(self, rig: Rig, names: Sequence[str], scale: float) -> None:
        self.rig, self.names, self.scale = rig, names, scale
        self.skeleton = rig.body.skeleton
        self.children = children_of(self.skeleton)

    def order(self, joint: int) -> str:
        """Of a joint's rotation channels."""
        return LEG_ORDER if self.skeleton.joint_names[joint].endswith(LEGS) else ORDER

    def hierarchy(self, joint: int, depth: int) -> list[str]:
        """Lines of a joint and all below it."""
        margin, inner = "\t" * depth, "\t" * (depth + 1)
        turns = " ".join(f"{axis}rotation" for axis in self.order(joint))
        moves = self.rig.moving[joint]
        channels = f"6 Xposition Yposition Zposition {turns}" if moves else f"3 {turns}"
        lines = [
            f"{margin}{'JOINT' if depth else 'ROOT'} {self.names[joint]}",
            margin + "{",
            inner + self._offset(self.rig.body.offsets[joint]),
            f"{inner}CHANNELS {channels}",
        ]
        for child in self.children[joint]:
            lines += self.hierarchy(child, depth + 1)
        if not self.children[joint]:
            bone = self.rig.body.offsets[joint]
            beyond = bone / max(float(np.linalg.norm(bone)), 1e-9) * END_SITE
            lines += [inner + "End Site", inner + "{", f"{inner}\t{self._offset(beyond)}"]
            lines.append(inner + "}")
        return [*lines, margin + "}"]

    def motion(self) -> list[str]:
        """Number of frames, frame time, and a line of channels for each frame."""
        body, columns = self.rig.body, []
        for joint in self._in_order(0):
            if self.rig.moving[joint]:
                columns.append(self.rig.positions[joint] * self.scale)
            columns.append(continuous_angles(body.rotations[:, joint], self.order(joint)))
        rows = np.concatenate(columns, axis=1)
        head = [f"Frames: {len(rows)}", f"Frame Time: {1 / body.fps:.10f}"]
        return head + [" ".join(f"{value:.6f}" for value in row) for row in rows]

    def _in_order(self, joint: int) -> list[int]:
        below = (one for child in self.children[joint] for one in self._in_order(child))
        return [joint, *below]

    def _offset(self, vector: np.ndarray) -> str:
        return "OFFSET " + " ".join(f"{value:.6f}" for value in vector * self.scale)
