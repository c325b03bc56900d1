"""The parameters of a body over time, before kinematics makes joints of them."""

from dataclasses import dataclass, fields

import numpy as np

from motiongpt.data.synthetic.performer import Performer

LEFT, RIGHT = 0, 1
STANDING_HEIGHT = 0.953  # metres, pelvis above the floor with nearly straight legs
PELVIS_AHEAD = 0.035  # metres, pelvis in front of the ankles, so that weight rests on mid-foot

# Columns of an angle triple of the trunk, and of an arm.
FORWARD, SIDE, TWIST = 0, 1, 2
FLEX, SPREAD, ROLL, ELBOW = 0, 1, 2, 3


@dataclass
class Pose:
    """Channels over T frames; angles in radians, lengths in metres. Sides: 0 left, 1 right.

    World channels (x, y up, z; a person of heading 0 faces +Z and has +X on the left):
        pelvis (T, 3); heading (T,), positive turns left; feet (T, 2, 3): the point of the sole
        under each ankle (y is how far the foot is lifted); foot_yaw (T, 2).
    Body channels:
        hips, spine, head (T, 3): lean forward, lean to the left, twist to the left of the pelvis
        against the heading, of the chest against the pelvis, of the head against the chest.
        arms (T, 2, 4): flex (forward), spread (outward), roll (outward twist of the upper arm),
        elbow (0 is straight).
        reach (T, 2, 3), reach_weight (T, 2): a position of the wrist in the chest's frame (origin
        at spine3), and how much it overrules the arm's angles.
        foot_pitch (T, 2): positive lifts the heel, negative the toes.
    """

    pelvis: np.ndarray
    heading: np.ndarray
    feet: np.ndarray
    foot_yaw: np.ndarray
    hips: np.ndarray
    spine: np.ndarray
    head: np.ndarray
    arms: np.ndarray
    reach: np.ndarray
    reach_weight: np.ndarray
    foot_pitch: np.ndarray

    @property
    def frames(self) -> int:
        """T."""
        return len(self.pelvis)


def standing(frames: int, performer: Performer) -> Pose:
    """The performer at rest at the origin, facing +Z: where every action starts and ends."""
    pose = Pose(
        pelvis=np.tile([0.0, STANDING_HEIGHT, PELVIS_AHEAD], (frames, 1)),
        heading=np.zeros(frames),
        feet=np.zeros((frames, 2, 3)),
        foot_yaw=np.tile([performer.toes_out, -performer.toes_out], (frames, 1)),
        hips=np.zeros((frames, 3)),
        spine=np.zeros((frames, 3)),
        head=np.zeros((frames, 3)),
        arms=np.zeros((frames, 2, 4)),
        reach=np.zeros((frames, 2, 3)),
        reach_weight=np.zeros((frames, 2)),
        foot_pitch=np.zeros((frames, 2)),
    )
    pose.feet[:, LEFT, 0] = performer.half_stance
    pose.feet[:, RIGHT, 0] = -performer.half_stance
    pose.spine[:, FORWARD] = performer.stoop
    pose.arms[:] = rest_arm(performer)
    return pose


def rest_arm(performer: Performer) -> np.ndarray:
    """(4,) angles of the performer's hanging arm."""
    return np.array(
        [performer.arm_flex, performer.arm_spread, performer.arm_twist, performer.elbow]
    )


def outward(side: int) -> float:
    """+1 for the left, -1 for the right: the sign of x on that side."""
    return 1.0 if side == LEFT else -1.0


def placed(pose: Pose, x: float, z: float, heading: float) -> Pose:
    """The same pose turned about the vertical axis by `heading`, then moved by (x, z)."""
    cos, sin = np.cos(heading), np.sin(heading)
    turn = np.array([[cos, 0.0, sin], [0.0, 1.0, 0.0], [-sin, 0.0, cos]])
    values = {field.name: getattr(pose, field.name) for field in fields(Pose)}
    values["pelvis"] = pose.pelvis @ turn.T + [x, 0.0, z]
    values["feet"] = pose.feet @ turn.T + [x, 0.0, z]
    values["heading"] = pose.heading + heading
    values["foot_yaw"] = pose.foot_yaw + heading
    return Pose(**values)


def joined(first: Pose, second: Pose) -> Pose:
    """`second` going on where `first` ends; both rest at the seam, so the motion stays smooth."""
    middle = first.feet[-1].mean(axis=0)
    moved = placed(second, middle[0], middle[2], first.heading[-1])
    parts = {
        field.name: np.concatenate([getattr(first, field.name), getattr(moved, field.name)[1:]])
        for field in fields(Pose)
    }
    return Pose(**parts)
