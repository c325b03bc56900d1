"""The 22 joints as what a fit computes with: who hangs on whom, and which joints bend like hinges.

Everything about rotations here is in the world, so that joints follow from them by one product:
a joint is the root plus the bones on the way to it, and each bone is turned by its parent.
Shape letters: J joints, N frames (of several clips, one after the other).
"""

from typing import NamedTuple

import torch
from torch import Tensor

from motiongpt.motion.rotations import relative, rotate
from motiongpt.motion.skeleton import HUMANML3D

N_JOINTS = HUMANML3D.n_joints
PARENTS = HUMANML3D.parents
NAMES = HUMANML3D.joint_names


class Hinge(NamedTuple):
    """A limb that bends in the middle: its first joint, the hinge, its end, and the way it bends.

    Attributes:
        axis: about which the hinge bends, right-handed, for a body in T-pose that faces +Z.
    """

    start: int
    middle: int
    end: int
    axis: tuple[float, float, float]


# As SMPLify's angle prior has them: knees about +X, the left elbow about -Y, the right about +Y.
HINGES = (
    Hinge(1, 4, 7, (1.0, 0.0, 0.0)),
    Hinge(2, 5, 8, (1.0, 0.0, 0.0)),
    Hinge(16, 18, 20, (0.0, -1.0, 0.0)),
    Hinge(17, 19, 21, (0.0, 1.0, 0.0)),
)


def children_of(joint: int) -> list[int]:
    """Joints that hang on `joint`."""
    return [child for child, parent in enumerate(PARENTS) if parent == joint]


# Joints that hang with others on one, and so have a fixed place beside them: hips, collars, …
BRANCHES = tuple(
    child for joint in range(N_JOINTS) if len(below := children_of(joint)) > 1 for child in below
)
ENDS_OF_TRUNK = ((1, 2), (16, 17))  # hips and shoulders
ENDS = tuple(joint for joint in range(N_JOINTS) if not children_of(joint))
# Joints whose rotation the positions say something about; an end turns with its parent.
TURNING = tuple(joint for joint in range(N_JOINTS) if joint not in ENDS)
# The turning joint that each of the J joints turns with.
TURNS_WITH = tuple(
    TURNING.index(PARENTS[joint] if joint in ENDS else joint) for joint in range(N_JOINTS)
)
_ABOVE = [TURNING.index(PARENTS[joint]) for joint in TURNING[1:]]
_TURNED_BY = [TURNS_WITH[parent] for parent in PARENTS[1:]]


def _paths() -> Tensor:
    """(J, J-1): 1 where a bone lies on the way from the root to a joint."""
    paths = torch.zeros(N_JOINTS, N_JOINTS - 1)
    for joint in range(1, N_JOINTS):
        paths[joint] = paths[PARENTS[joint]]
        paths[joint, joint - 1] = 1
    return paths


_PATHS = _paths()


def posed_joints(turns: Tensor, offsets: Tensor, root: Tensor) -> Tensor:
    """Joints (3, J, N) in metres.

    Args:
        turns: (4, 17, N) unit quaternions in the world of the joints of `TURNING`.
        offsets: (3, J-1, N) metres from parent to joint in the rest pose.
        root: (3, N) metres.
    """
    bones = rotate(turns[:, _TURNED_BY], offsets, dim=0)
    return _PATHS.to(bones) @ bones + root[:, None]


def local_turns(turns: Tensor) -> Tensor:
    """Unit quaternions within the parent of those in the world, (4, 17, N) both."""
    below = relative(turns[:, _ABOVE], turns[:, 1:], dim=0)
    return torch.cat([turns[:, :1], below], dim=1)


def offsets_of(joints: Tensor) -> Tensor:
    """(…, J-1, 3) from parent to joint of rest joints (…, J, 3)."""
    return joints[..., 1:, :] - joints[..., list(PARENTS[1:]), :]
