"""An AMC motion on its ASF skeleton to joint positions in the world, all frames at once.

Shape letters: T frames, J joints.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from motiongpt.data.asf_amc.amc import Amc, channel_slices
from motiongpt.data.asf_amc.asf import MOVES, ROOT, TURNS, Asf
from motiongpt.data.bvh_forward import AT_ONCE, about_axis


def position_parts(motion: Amc) -> Iterator[np.ndarray]:
    """Positions of the joints that `Asf.joint_names` names, (T, J, 3) float64, some frames after
    the other, in units of the skeleton's `:units` length (for CMU inches) and the file's axes.
    """
    skeleton = motion.skeleton
    step = max(1, AT_ONCE // len(skeleton.joint_names))
    for first in range(0, len(motion.values), step):
        yield _positions(skeleton, motion.values[first : first + step]) / skeleton.length


def _positions(skeleton: Asf, values: np.ndarray) -> np.ndarray:
    """(T, J, 3) in the file's units.

    A turn M about axes C is C M C^-1 in the world's axes, and each bone turns within its parent.
    """
    slices = channel_slices(skeleton)
    of_root = values[:, slices[ROOT]]
    moves = [skeleton.root_order.index(move) for move in MOVES]
    position = skeleton.root_position + of_root[:, moves]
    turned = _turn(skeleton.root_order, of_root, skeleton.root_axes)
    begins: list[np.ndarray] = []
    ends: list[np.ndarray] = []
    rotations: list[np.ndarray] = []
    for bone in skeleton.bones:
        begin = position if bone.parent < 0 else ends[bone.parent]
        rotation = turned if bone.parent < 0 else rotations[bone.parent]
        if bone.dof:
            rotation = rotation @ _turn(bone.dof, values[:, slices[bone.name]], bone.axes)
        begins.append(begin)
        ends.append(begin + rotation @ bone.offset)
        rotations.append(rotation)
    return np.stack([position, *begins, *(ends[leaf] for leaf in skeleton.leaves)], axis=1)


def _turn(channels: Sequence[str], values: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """(T, 3, 3): the turns among `channels`, of which the first is applied first."""
    rotation = np.tile(np.eye(3), (len(values), 1, 1))
    for column, channel in enumerate(channels):
        if channel in TURNS:
            rotation = about_axis(TURNS.index(channel), values[:, column]) @ rotation
    return axes @ rotation @ axes.T
