"""Channel values of a BVH file to joint positions in the world, all frames at once.

Shape letters: T frames, J joints.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from motiongpt.data.bvh import Bvh
from motiongpt.data.bvh_hierarchy import BvhJoint

_AXES = {"X": 0, "Y": 1, "Z": 2}
AT_ONCE = 1_000_000  # positions; rotations take three times their memory


def position_parts(bvh: Bvh) -> Iterator[np.ndarray]:
    """What `world_positions` gives, some frames after the other: all joints of a long file are
    gigabytes, of which the caller keeps a few."""
    step = max(1, AT_ONCE // len(bvh.joints))
    for first in range(0, len(bvh.values), step):
        yield world_positions(replace(bvh, values=bvh.values[first : first + step]))


def world_positions(bvh: Bvh) -> np.ndarray:
    """Positions of all joints, (T, J, 3) float64 in the file's units and axes.

    A joint's position channels replace its OFFSET, axis by axis: files that give positions for
    every joint repeat the bone in them, and adding both would double it. Rotations are composed
    in the order of the channels, the first outermost, and each joint turns within its parent, the
    root's own travel and rotation included.
    """
    n_frames = len(bvh.values)
    positions = np.empty((n_frames, len(bvh.joints), 3))
    rotations: list[np.ndarray] = []
    for index, joint in enumerate(bvh.joints):
        offset = _local_offset(joint, bvh.values)
        rotation = _local_rotation(joint, bvh.values)
        if joint.parent < 0:
            positions[:, index] = offset
            rotations.append(rotation)
        else:
            parent = rotations[joint.parent]
            moved = (parent @ offset[..., None])[..., 0]
            positions[:, index] = positions[:, joint.parent] + moved
            rotations.append(parent @ rotation if joint.channels else parent)
    return positions


def _local_offset(joint: BvhJoint, values: np.ndarray) -> np.ndarray:
    """(T, 3) from the parent, in the parent's axes."""
    offset = np.tile(np.asarray(joint.offset), (len(values), 1))
    for column, channel in enumerate(joint.channels, joint.first_channel):
        if channel.endswith("position"):
            offset[:, _AXES[channel[0]]] = values[:, column]
    return offset


def _local_rotation(joint: BvhJoint, values: np.ndarray) -> np.ndarray:
    """(T, 3, 3): the product of the joint's rotation channels in their order."""
    rotation = np.tile(np.eye(3), (len(values), 1, 1))
    for column, channel in enumerate(joint.channels, joint.first_channel):
        if channel.endswith("rotation"):
            rotation = rotation @ about_axis(_AXES[channel[0]], values[:, column])
    return rotation


def about_axis(axis: int, degrees: np.ndarray) -> np.ndarray:
    """(T,) angles to (T, 3, 3) right-handed rotations of column vectors."""
    radians = np.deg2rad(degrees)
    first, second = (axis + 1) % 3, (axis + 2) % 3
    matrix = np.zeros((len(degrees), 3, 3))
    matrix[:, axis, axis] = 1.0
    matrix[:, first, first] = matrix[:, second, second] = np.cos(radians)
    matrix[:, second, first] = np.sin(radians)
    matrix[:, first, second] = -matrix[:, second, first]
    return matrix
