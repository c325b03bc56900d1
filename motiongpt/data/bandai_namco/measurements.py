"""What can be measured on a clip, so that its captions say only what is there.

Input is joints (T, 22, 3) in metres, Y up, at 20 frames per second, on the floor.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import uniform_filter1d
from scipy.signal import find_peaks

from motiongpt.motion.skeleton import HUMANML3D

SIDES = ("left", "right")
_JOINT = {name: index for index, name in enumerate(HUMANML3D.joint_names)}

# A stride parts the ankles by 0.3 m and more; shuffling by less is not counted as a step.
_STEP_PROMINENCE = 0.15
# A swing is at least this long (metres), and at least this part of the largest one.
_SWING_PROMINENCE = 0.05
_SWING_PART = 0.35
# A wrist that rises by more (metres) was lifted and lowered: neither of the two is a swing.
_LIFT = 0.5
# Fewer than this may be the lifting and the lowering alone.
_FEWEST_SWINGS = 3


@dataclass(frozen=True)
class Measurements:
    """Figures of one clip.

    Attributes:
        seconds: duration.
        distance: length of the pelvis's path on the floor, sway smoothed out, metres.
        displacement: from the first to the last position, metres.
        speed: distance / seconds, metres per second.
        turn: heading at the end minus heading at the start, degrees, left positive; whole turns
            count.
        direction: of the displacement relative to the mean heading, degrees, left positive, 0
            ahead, 180 backward.
        steps: strides counted at the ankles.
        bend: largest lean of the trunk from upright, degrees.
        wrist_above_head: per side, the highest the wrist gets above the head joint, metres.
        wrist_above_shoulder: per side, the highest it gets above its shoulder, metres.
        wrist_rise: per side, its highest above its lowest point, metres.
        swings: per side, sideways swings of a raised hand, or None where the count is unclear.
    """

    seconds: float
    distance: float
    displacement: float
    speed: float
    turn: float
    direction: float
    steps: int
    bend: float
    wrist_above_head: dict[str, float]
    wrist_above_shoulder: dict[str, float]
    wrist_rise: dict[str, float]
    swings: dict[str, int | None]

    def busier_hand(self, margin: float = 0.15) -> str | None:
        """The side whose wrist gets higher by at least `margin` metres, if one does."""
        lead = self.wrist_above_shoulder["left"] - self.wrist_above_shoulder["right"]
        if abs(lead) < margin:
            return None
        return "left" if lead > 0 else "right"


def measure(joints: np.ndarray, fps: float = HUMANML3D.fps) -> Measurements:
    """Measure one clip of two frames or more."""
    joints = joints.astype(np.float64)
    seconds = (len(joints) - 1) / fps
    ahead = _headings(joints)
    path = uniform_filter1d(joints[:, 0, [0, 2]], 11, axis=0, mode="nearest")
    distance = float(np.linalg.norm(np.diff(path, axis=0), axis=1).sum())
    moved = path[-1] - path[0]
    mean_ahead = ahead.mean(axis=0)
    return Measurements(
        seconds=seconds,
        distance=distance,
        displacement=float(np.linalg.norm(moved)),
        speed=distance / seconds,
        turn=_turn(ahead),
        direction=float(np.degrees(np.arctan2(moved @ _left_of(mean_ahead), moved @ mean_ahead))),
        steps=_steps(joints, ahead),
        bend=_bend(joints),
        wrist_above_head={
            side: float((_height(joints, f"{side}_wrist") - _height(joints, "head")).max())
            for side in SIDES
        },
        wrist_above_shoulder={
            side: float(
                (_height(joints, f"{side}_wrist") - _height(joints, f"{side}_shoulder")).max()
            )
            for side in SIDES
        },
        wrist_rise={side: float(np.ptp(_height(joints, f"{side}_wrist"))) for side in SIDES},
        swings={side: _swings(joints, ahead, side) for side in SIDES},
    )


def _height(joints: np.ndarray, name: str) -> np.ndarray:
    return joints[:, _JOINT[name], 1]


def _left_of(ahead: np.ndarray) -> np.ndarray:
    """A quarter turn to the left on the floor, (..., 2) as x and z: ahead +Z has left +X."""
    return np.stack([ahead[..., 1], -ahead[..., 0]], axis=-1)


def _headings(joints: np.ndarray) -> np.ndarray:
    """(T, 2) unit vectors on the floor, square to hips and shoulders together."""
    across = sum(
        joints[:, _JOINT[f"left_{part}"]] - joints[:, _JOINT[f"right_{part}"]]
        for part in ("hip", "shoulder")
    )
    assert isinstance(across, np.ndarray)
    ahead = np.stack([-across[:, 2], across[:, 0]], axis=1)
    return ahead / np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-9)


def _turn(ahead: np.ndarray) -> float:
    angles = np.unwrap(np.arctan2(ahead[:, 0], ahead[:, 1]))
    smooth = uniform_filter1d(angles, 7, mode="nearest")
    return float(np.degrees(smooth[-1] - smooth[0]))


def _steps(joints: np.ndarray, ahead: np.ndarray) -> int:
    """Extremes of how far the left ankle is ahead of the right one: each ends a step."""
    apart = (joints[:, _JOINT["left_ankle"]] - joints[:, _JOINT["right_ankle"]])[:, [0, 2]]
    lead = (apart * ahead).sum(axis=1)
    return sum(len(find_peaks(s * lead, prominence=_STEP_PROMINENCE)[0]) for s in (1, -1))


def _bend(joints: np.ndarray) -> float:
    trunk = joints[:, _JOINT["neck"]] - joints[:, _JOINT["pelvis"]]
    upright = trunk[:, 1] / np.maximum(np.linalg.norm(trunk, axis=1), 1e-9)
    return float(np.degrees(np.arccos(np.clip(upright, -1.0, 1.0))).max())


def _swings(joints: np.ndarray, ahead: np.ndarray, side: str) -> int | None:
    """Swings of the raised hand to the left and back; None if unclear.

    Turning points to the left and to the right are counted apart; a true swinging has as many of
    the one as of the other, give or take one. Small ones, made from the wrist alone, don't show in
    these joints and leave the count unclear.
    """
    wrist = joints[:, _JOINT[f"{side}_wrist"]]
    raised = wrist[:, 1] > _height(joints, f"{side}_elbow")
    if np.ptp(wrist[:, 1]) > _LIFT:
        raised &= wrist[:, 1] > (wrist[:, 1].min() + wrist[:, 1].max()) / 2
    if raised.sum() < 10:
        return 0
    reach = (wrist - joints[:, _JOINT[f"{side}_shoulder"]])[:, [0, 2]]
    sideways = uniform_filter1d((reach * _left_of(ahead)).sum(axis=1), 3)
    size = float(np.ptp(np.percentile(sideways[raised], [5, 95])))
    prominence = max(_SWING_PROMINENCE, _SWING_PART * size)
    lefts, rights = (
        int(raised[find_peaks(sign * sideways, prominence=prominence)[0]].sum()) for sign in (1, -1)
    )
    swings = max(lefts, rights)
    return swings if abs(lefts - rights) <= 1 and swings >= _FEWEST_SWINGS else None
