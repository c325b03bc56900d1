"""Joints to one rigid skeleton and its movement: bones of constant length, rotations, a root.

What a network has decoded stretches; a body does not. Bones get their mean length. From the pelvis
outwards each joint is then turned so that its bone points to where the next joint was decoded, seen
from where the rigid body has the joint: errors do not add up along a limb. Where a joint carries
several bones (pelvis, chest) they turn as one. What joints leave open is chosen so that it moves
least: the spine shares the turn from pelvis to chest, limbs follow their hinges (limb_twist.py),
and nothing turns faster than `FASTEST`.

Metres, Y up, the rest pose is a T (rest_pose.py). Shape letters: T frames, J joints, C children.
"""

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from scipy.spatial.transform import Rotation, Slerp

from motiongpt.motion.limb_twist import hinge_seen, twisted
from motiongpt.motion.resample import resample_positions, resampled_length
from motiongpt.motion.rest_pose import Limb, limbs, t_pose
from motiongpt.motion.skeleton import Skeleton
from motiongpt.motion.turns import bounded, fitting, part_way, shortest, unit_or

FITS = 3  # rounds of fitting the rest pose of joints with several bones
# Degrees per second of a joint within its parent. Of 50 of Bandai-Namco's files, at 20 frames per
# second, the 99.9th percentile of all rotations is 632, of the trunk's 190. Bones of the spine are
# short: what trembles by a centimetre would turn them by 10 degrees.
FASTEST, OF_TRUNK = 900.0, 500.0
TRUNK = ("spine", "spine1", "spine2", "spine3", "chest", "neck", "collar")
TWIST = 400.0  # degrees per second of a limb about itself
CONSTANT = 1e-4  # metres; distances that change less are a rigid body's


@dataclass(frozen=True)
class RigidMotion:
    """A skeleton and what moves it.

    Attributes:
        offsets: (J, 3) from the parent in the rest pose, where no joint is turned.
        root: (T, 3) of the root in the world.
        rotations: (T, J, 3, 3) within the parent.
        fps: frames per second.
    """

    skeleton: Skeleton
    offsets: np.ndarray
    root: np.ndarray
    rotations: np.ndarray
    fps: float

    def world(self) -> np.ndarray:
        """Rotations (T, J, 3, 3) of the joints in the world."""
        found = self.rotations.copy()
        for joint, parent in enumerate(self.skeleton.parents[1:], start=1):
            found[:, joint] = found[:, parent] @ found[:, joint]
        return found

    def joints(self) -> np.ndarray:
        """Joints (T, J, 3)."""
        world = self.world()
        found = np.repeat(self.root[:, None], self.skeleton.n_joints, axis=1)
        for joint, parent in enumerate(self.skeleton.parents[1:], start=1):
            found[:, joint] = found[:, parent] + world[:, parent] @ self.offsets[joint]
        return found

    def at(self, fps: float) -> "RigidMotion":
        """The same motion at another frame rate: bones keep their lengths between frames too."""
        frames = len(self.root)
        if abs(fps - self.fps) < 1e-6 or frames < 2:
            return replace(self, fps=fps)
        times = np.arange(resampled_length(frames, self.fps, fps)) * (self.fps / fps)
        times = np.minimum(times, frames - 1)
        turned = np.stack(
            [
                Slerp(np.arange(frames), Rotation.from_matrix(one))(times).as_matrix()
                for one in np.moveaxis(self.rotations, 1, 0)
            ],
            axis=1,
        )
        root = resample_positions(self.root, self.fps, fps)
        return replace(self, root=root, rotations=turned, fps=fps)


def rigid_motion(joints: np.ndarray, skeleton: Skeleton, fps: float) -> RigidMotion:
    """The rigid skeleton nearest to joints (T, J, 3) in metres, and its movement.

    Joints that are a rigid body's come back as they were, but for turns faster than `FASTEST`.
    """
    return _Fit(np.asarray(joints, np.float64), skeleton, fps).motion()


def rest_offsets(joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Offsets (J, 3) from the parent in the rest pose, bones of the clip's mean lengths."""
    offsets = t_pose(skeleton)
    for joint, children in enumerate(children_of(skeleton)):
        if not children:
            continue
        bones = joints[:, children] - joints[:, [joint]]
        lengths = np.linalg.norm(bones, axis=-1).mean(0)[:, None]
        rest = resting = offsets[children] * lengths
        for _ in range(FITS if len(children) > 1 else 0):
            rest = np.einsum("tji,tcj->tci", fitting(rest, bones), bones).mean(0)
        if len(children) > 1:
            rest = np.einsum("ji,cj->ci", fitting(resting, rest[None])[0], rest)
        size = np.linalg.norm(rest, axis=-1, keepdims=True)
        offsets[children] = rest / np.maximum(size, 1e-9) * lengths
    return offsets


def children_of(skeleton: Skeleton) -> list[list[int]]:
    """For each joint those that hang on it."""
    found: list[list[int]] = [[] for _ in skeleton.parents]
    for joint, parent in enumerate(skeleton.parents):
        if parent >= 0:
            found[parent].append(joint)
    return found


def is_rigid(joints: np.ndarray, skeleton: Skeleton) -> bool:
    """Whether joints (T, J, 3) are a rigid skeleton's: to 0.1 mm each bone keeps its length, and
    those that hang on one joint, as both hips do, their distance."""
    below = children_of(skeleton)
    pairs = [(joint, child) for joint, children in enumerate(below) for child in children]
    pairs += [pair for children in below for pair in combinations(children, 2)]
    first, second = np.array(pairs).T
    lengths = np.linalg.norm(joints[:, first] - joints[:, second], axis=-1)
    return bool(np.ptp(lengths, axis=0).max() < CONSTANT)


class _Fit:
    """One clip while its joints are turned, from the root outwards."""

    def __init__(self, joints: np.ndarray, skeleton: Skeleton, fps: float) -> None:
        self.joints, self.skeleton, self.fps = joints, skeleton, fps
        self.children = children_of(skeleton)
        self.offsets = rest_offsets(joints, skeleton)
        self.directions = unit_or(self.offsets, t_pose(skeleton))  # bones of no length have one too
        self.limbs = {limb.joints[0]: limb for limb in limbs(skeleton)}
        self.solid = {
            joint: fitting(self.offsets[below], joints[:, below] - joints[:, [joint]])
            for joint, below in enumerate(self.children)
            if len(below) > 1
        }
        self.local = np.tile(np.eye(3), (len(joints), skeleton.n_joints, 1, 1))
        self.world = self.local.copy()
        self.posed = joints.copy()

    def motion(self) -> RigidMotion:
        for joint, below in enumerate(self.children):
            if not below:
                continue
            parent = self.skeleton.parents[joint]
            above = self.world[:, parent] if parent >= 0 else np.eye(3)
            turn = np.swapaxes(np.broadcast_to(above, (len(self.joints), 3, 3)), 1, 2)
            turn = bounded(turn @ self._turned(joint, above, below), self._most(joint))
            self.local[:, joint] = turn
            self.world[:, joint] = above @ self.local[:, joint]
            for child in below:
                arm = self.world[:, joint] @ self.offsets[child]
                self.posed[:, child] = self.posed[:, joint] + arm
        # Joints that carry nothing follow the bone that they end.
        return RigidMotion(self.skeleton, self.offsets, self.joints[:, 0], self.local, self.fps)

    def _most(self, joint: int) -> float:
        """Radians by which a joint may turn from frame to frame."""
        part = self.skeleton.joint_names[joint].rpartition("_")[2]
        return float(np.radians(OF_TRUNK if part in TRUNK else FASTEST)) / self.fps

    def _turned(self, joint: int, above: np.ndarray, below: list[int]) -> np.ndarray:
        """World rotations (T, 3, 3) of a joint whose parents are turned already."""
        wanted = self.joints[:, below] - self.posed[:, [joint]]
        if len(below) > 1:
            return fitting(self.offsets[below], wanted)
        rest = self.directions[below[0]]
        start = np.broadcast_to(self._start(joint, above), (len(wanted), 3, 3))
        bone = unit_or(wanted[:, 0], start @ rest)
        if joint in self.limbs:
            return start @ self._of_limb(self.limbs[joint], start, bone, rest)
        return shortest(start @ rest, bone) @ start

    def _start(self, joint: int, above: np.ndarray) -> np.ndarray:
        """What the shortest turn starts from: the parent, or a share of the way to the chest."""
        before, after, ends = 1, 1, joint
        while len(self.children[ends]) == 1:
            ends, after = self.children[ends][0], after + 1
        parent = self.skeleton.parents[joint]
        if ends not in self.solid or parent < 0:
            return above
        return part_way(above, self.solid[ends], before / after)

    def _of_limb(
        self, limb: Limb, start: np.ndarray, bone: np.ndarray, rest: np.ndarray
    ) -> np.ndarray:
        """Rotations (T, 3, 3) of an upper arm or a thigh within its parent."""
        points = self.joints[:, list(limb.joints)]
        inside = np.einsum("tji,tcj->tci", start, np.diff(points, axis=1))
        first = np.einsum("tji,tj->ti", start, bone)
        bones = [unit_or(inside[:, one], first) for one in range(1, inside.shape[1])]
        seen = hinge_seen(first, bones[0], bones[1] if len(bones) > 1 else None)
        axis, most = np.array(limb.axis), np.radians(TWIST) / self.fps
        axis = axis - (axis @ rest) * rest
        return twisted(first, seen, rest, axis / np.linalg.norm(axis), self.fps, most)
