"""Rigid motions one after the other as one: turned and moved to where the last one ended.

Metres, Y up. Shape letters: T frames, J joints.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.spatial.transform import Rotation

from motiongpt.motion.rigid import RigidMotion
from motiongpt.motion.turns import part_way


def on_offsets(motion: RigidMotion, offsets: np.ndarray) -> RigidMotion:
    """The same turns on a body of other bones; the root as much higher as its legs are longer."""
    ratio = _leg(motion, offsets) / max(_leg(motion, motion.offsets), 1e-6)
    return replace(motion, offsets=offsets, root=motion.root * np.array([1.0, ratio, 1.0]))


def of_length(motion: RigidMotion, frames: int) -> RigidMotion:
    """Cut to `frames`, or held at its last pose until then."""
    kept = np.minimum(np.arange(frames), len(motion.root) - 1)
    return replace(motion, root=motion.root[kept], rotations=motion.rotations[kept])


def joined(parts: Sequence[RigidMotion], blended: int) -> RigidMotion:
    """One motion; each part goes on where, and facing where, the one before ended.

    Args:
        parts: of one skeleton, one body and one frame rate, not empty.
        blended: frames at the beginning of a part over which the last pose fades out.
    """
    whole = parts[0]
    for part in parts[1:]:
        part = _carried_on(whole, part)
        shares = (np.arange(len(part.root)) + 1) / (blended + 1)
        for frame in np.flatnonzero(shares < 1):
            share = float(shares[frame])
            part.rotations[frame] = part_way(whole.rotations[-1], part.rotations[frame], share)
            height = whole.root[-1, 1]
            part.root[frame, 1] = height + share * (part.root[frame, 1] - height)
        whole = replace(
            whole,
            root=np.concatenate([whole.root, part.root]),
            rotations=np.concatenate([whole.rotations, part.rotations]),
        )
    return whole


def _carried_on(before: RigidMotion, after: RigidMotion) -> RigidMotion:
    """A copy of `after`, turned about Y and moved over the floor."""
    turn = _heading(before.rotations[-1, 0]) - _heading(after.rotations[0, 0])
    about = Rotation.from_rotvec([0.0, turn, 0.0]).as_matrix()
    root = (after.root - after.root[0] * [1, 0, 1]) @ about.T + before.root[-1] * [1, 0, 1]
    rotations = after.rotations.copy()
    rotations[:, 0] = about @ rotations[:, 0]
    return replace(after, root=root, rotations=rotations)


def _heading(turn: np.ndarray) -> float:
    """Radians about Y from +Z to where the root (3, 3) looks."""
    forward = turn @ np.array([0.0, 0.0, 1.0])
    return float(np.arctan2(forward[0], forward[2]))


def _leg(motion: RigidMotion, offsets: np.ndarray) -> float:
    """Length of the longest way from the root to a foot: the skeleton's lowest joint at rest."""
    lengths = np.zeros(len(offsets))
    heights = np.zeros(len(offsets))
    for joint, parent in enumerate(motion.skeleton.parents[1:], start=1):
        lengths[joint] = lengths[parent] + np.linalg.norm(offsets[joint])
        heights[joint] = heights[parent] + offsets[joint][1]
    return float(lengths[heights.argmin()])
