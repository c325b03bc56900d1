"""The two skeletons that motion-language data comes in, and what their features depend on.

World axes: Y up, right-handed; a person who faces +Z has the left side at +X.
Shape letters: B batch, T frames, J joints, F features.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from motiongpt.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

Vector = tuple[float, float, float]

LEFT: Vector = (1.0, 0.0, 0.0)
RIGHT: Vector = (-1.0, 0.0, 0.0)
UP: Vector = (0.0, 1.0, 0.0)
DOWN: Vector = (0.0, -1.0, 0.0)
AHEAD: Vector = (0.0, 0.0, 1.0)
NOWHERE: Vector = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Skeleton:
    """Joints, how they hang together, and the constants of the feature format.

    Attributes:
        name: the name that configs use.
        joint_names: J names; joint 0 is the root.
        parents: index of each joint's parent, -1 for the root.
        chains: paths of joints, each from its start outwards; inverse kinematics walks them in
            this order, so a chain that does not start at the root follows the one it leaves.
        raw_offsets: J unit directions from the parent in the rest pose; zero for the root.
        bone_lengths: J lengths in metres from parent to joint, 0 for the root: the body that
            every clip is scaled to.
        leg_joints: knee and ankle whose bones give the size of a body.
        feet_left: ankle and toe; the first two contact channels.
        feet_right: ankle and toe; the last two contact channels.
        face_joints: right hip, left hip, right shoulder, left shoulder: where the heading is read.
        contact_threshold: a foot is on the ground below this squared speed, metres² per frame².
        fps: frames per second of the published data.
    """

    name: str
    joint_names: tuple[str, ...]
    parents: tuple[int, ...]
    chains: tuple[tuple[int, ...], ...]
    raw_offsets: tuple[Vector, ...]
    bone_lengths: tuple[float, ...]
    leg_joints: tuple[int, int]
    feet_left: tuple[int, int]
    feet_right: tuple[int, int]
    face_joints: tuple[int, int, int, int]
    contact_threshold: float
    fps: float

    @property
    def n_joints(self) -> int:
        """J."""
        return len(self.joint_names)

    @property
    def n_features(self) -> int:
        """F: root 4, positions 3 (J - 1), rotations 6 (J - 1), velocities 3 J, contacts 4."""
        return 12 * self.n_joints - 1

    def offsets(self) -> "Tensor":
        """Rest-pose offsets from the parent, (J, 3) float32 metres."""
        import torch  # stores and plans know a skeleton by its names, and start without

        return torch.tensor(self.raw_offsets) * torch.tensor(self.bone_lengths)[:, None]


# Lengths: HumanML3D's target skeleton, the first frame of AMASS clip 000021.
HUMANML3D = Skeleton(
    name="humanml3d",
    joint_names=(
        "pelvis",
        "left_hip",
        "right_hip",
        "spine1",
        "left_knee",
        "right_knee",
        "spine2",
        "left_ankle",
        "right_ankle",
        "spine3",
        "left_foot",
        "right_foot",
        "neck",
        "left_collar",
        "right_collar",
        "head",
        "left_shoulder",
        "right_shoulder",
        "left_elbow",
        "right_elbow",
        "left_wrist",
        "right_wrist",
    ),
    parents=(-1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 9, 9, 12, 13, 14, 16, 17, 18, 19),
    chains=(
        (0, 2, 5, 8, 11),
        (0, 1, 4, 7, 10),
        (0, 3, 6, 9, 12, 15),
        (9, 14, 17, 19, 21),
        (9, 13, 16, 18, 20),
    ),
    raw_offsets=(
        NOWHERE,
        *(LEFT, RIGHT, UP),
        *(DOWN, DOWN, UP),
        *(DOWN, DOWN, UP),
        *(AHEAD, AHEAD, UP),
        *(LEFT, RIGHT, AHEAD),
        *(DOWN, DOWN, DOWN, DOWN, DOWN, DOWN),
    ),
    bone_lengths=(
        0.0,
        *(0.103074, 0.109883, 0.131568),
        *(0.393623, 0.390188, 0.143190),
        *(0.432433, 0.425643, 0.057365),
        *(0.143382, 0.149419, 0.219360),
        *(0.137487, 0.143383, 0.103039),
        *(0.131614, 0.122984, 0.256840, 0.263092, 0.266012, 0.269876),
    ),
    leg_joints=(5, 8),
    feet_left=(7, 10),
    feet_right=(8, 11),
    face_joints=(2, 1, 17, 16),
    contact_threshold=0.002,
    fps=20.0,
)

# KIT's own target skeleton (clip 03950) is not public, so these lengths are a plausible body, not
# KIT's: thigh, shank and arms are Winter's fractions of stature (Biomechanics and Motor Control of
# Human Movement), the rest distances in the mean of the published features, both for 1.75 m.
# Who has KIT's target offsets passes them to `joints_to_features`.
#
# Sides follow the published features, whose joints 5-7 and 11-15 lie at -X of a person facing +Z;
# the raw offsets of the hips and shoulders point to the other side, and the rotations absorb it.
# KIT publishes features in millimetres of a body about 1 m tall.
KIT = Skeleton(
    name="kit",
    joint_names=(
        "pelvis",
        "spine",
        "chest",
        "neck",
        "head",
        "right_shoulder",
        "right_elbow",
        "right_wrist",
        "left_shoulder",
        "left_elbow",
        "left_wrist",
        "right_hip",
        "right_knee",
        "right_ankle",
        "right_heel",
        "right_foot",
        "left_hip",
        "left_knee",
        "left_ankle",
        "left_heel",
        "left_foot",
    ),
    parents=(-1, 0, 1, 2, 3, 3, 5, 6, 3, 8, 9, 0, 11, 12, 13, 14, 0, 16, 17, 18, 19),
    chains=(
        (0, 11, 12, 13, 14, 15),
        (0, 16, 17, 18, 19, 20),
        (0, 1, 2, 3, 4),
        (3, 5, 6, 7),
        (3, 8, 9, 10),
    ),
    raw_offsets=(
        NOWHERE,
        *(UP, UP, UP, UP),
        *(LEFT, DOWN, DOWN),
        *(RIGHT, DOWN, DOWN),
        *(LEFT, DOWN, DOWN, AHEAD, AHEAD),
        *(RIGHT, DOWN, DOWN, AHEAD, AHEAD),
    ),
    bone_lengths=(
        0.0,
        *(0.134, 0.188, 0.070, 0.046),
        *(0.170, 0.326, 0.256),
        *(0.170, 0.326, 0.256),
        *(0.078, 0.429, 0.431, 0.045, 0.080),
        *(0.078, 0.429, 0.431, 0.045, 0.080),
    ),
    leg_joints=(17, 18),
    feet_left=(19, 20),
    feet_right=(14, 15),
    face_joints=(11, 16, 5, 8),
    contact_threshold=0.05,
    fps=12.5,
)

SKELETONS = {skeleton.name: skeleton for skeleton in (HUMANML3D, KIT)}


def skeleton_by_name(name: str) -> Skeleton:
    """Look a skeleton up by the name that configs use.

    Raises:
        UserError: no skeleton has this name.
    """
    if name not in SKELETONS:
        known = ", ".join(SKELETONS)
        raise UserError(f"unknown skeleton {name!r}; choose one of: {known}")
    return SKELETONS[name]
