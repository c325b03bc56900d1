"""What a body does over time, as curves that events are found in. Nothing here is trained.

Shape letters: T frames, J joints of HumanML3D's skeleton. Joints are in metres, Y up, on the floor
y = 0. Pairs are (left, right). Events are found in places and angles, never in speeds, so that the
same motion played slower shows the same ones.
"""

from functools import cached_property

import numpy as np

from motiongpt.motion.skeleton import HUMANML3D

LEFT, RIGHT = 0, 1
SIDES = ("left", "right")
JOINT = {name: index for index, name in enumerate(HUMANML3D.joint_names)}
UP = 1
SMOOTHING = 0.15  # seconds; a step's sway of the pelvis is slower
STANDING_PART = 20  # percentile of a toe's heights that it has on the floor: no foot hangs always


def runs(flags: np.ndarray) -> list[slice]:
    """The stretches of flags (T,) that are true."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int8), [0]])))
    return [slice(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def excursions(curve: np.ndarray, low: float, high: float) -> list[slice]:
    """The stretches of a curve (T,) above `low` that somewhere reach `high`."""
    return [one for one in runs(curve > low) if curve[one].max() >= high]


class Signals:
    """Curves of one motion; each is computed when it is asked for.

    Args:
        joints: (T, J, 3) metres, T at least 2.
        fps: frames per second.
    """

    def __init__(self, joints: np.ndarray, fps: float) -> None:
        self.joints, self.fps = joints.astype(np.float64), fps

    def __len__(self) -> int:
        """T."""
        return len(self.joints)

    def of(self, name: str) -> np.ndarray:
        """(T, 3) metres of a joint."""
        return self.joints[:, JOINT[name]]

    def pair(self, name: str) -> np.ndarray:
        """(T, 2, 3) metres of a joint of both sides."""
        return self.joints[:, [JOINT[f"{side}_{name}"] for side in SIDES]]

    def smooth(self, curve: np.ndarray) -> np.ndarray:
        """(T, ...) a running mean over `SMOOTHING` seconds."""
        half = max(1, round(0.5 * SMOOTHING * self.fps))
        padded = np.concatenate([curve[:1].repeat(half, 0), curve, curve[-1:].repeat(half, 0)])
        sums = np.cumsum(np.concatenate([np.zeros_like(padded[:1]), padded]), axis=0)
        width = 2 * half + 1
        return (sums[width:] - sums[:-width]) / width

    @cached_property
    def heading(self) -> np.ndarray:
        """(T,) radians, positive to the left, whole turns counted: square to the hips alone, since
        shoulders wind up for a throw."""
        across = self.of("left_hip") - self.of("right_hip")
        return self.smooth(np.unwrap(np.arctan2(-across[:, 2], across[:, 0])))

    @cached_property
    def ahead(self) -> np.ndarray:
        """(T, 2) unit vectors on the floor, x and z."""
        return np.stack([np.sin(self.heading), np.cos(self.heading)], axis=1)

    @cached_property
    def aside(self) -> np.ndarray:
        """(T, 2) unit vectors on the floor to the left."""
        return np.stack([np.cos(self.heading), -np.sin(self.heading)], axis=1)

    @cached_property
    def lift(self) -> np.ndarray:
        """(T, 2) metres of each toe above where it stands."""
        toes = self.pair("foot")[..., UP]
        return toes - np.percentile(toes, STANDING_PART, axis=0)

    @cached_property
    def drop(self) -> np.ndarray:
        """(T,) metres that the pelvis is lower than in most frames in which it stands."""
        height = self.of("pelvis")[:, UP]
        return np.percentile(height, 100 - STANDING_PART) - height

    @cached_property
    def bend(self) -> np.ndarray:
        """(T,) degrees that the trunk leans forward from upright; negative leans back."""
        trunk = self.of("neck") - self.of("pelvis")
        ahead = (trunk[:, [0, 2]] * self.ahead).sum(axis=1)
        return np.degrees(np.arctan2(ahead, trunk[:, UP]))

    @cached_property
    def behind(self) -> np.ndarray:
        """(T,) metres that the pelvis is behind the middle of the ankles."""
        apart = self.pair("ankle").mean(axis=1) - self.of("pelvis")
        return (apart[:, [0, 2]] * self.ahead).sum(axis=1)

    @cached_property
    def leg(self) -> np.ndarray:
        """(T, 2, 3) ankles seen from the hips: to the left, up, ahead; metres."""
        return self._seen(self.pair("ankle") - self.pair("hip"))

    @cached_property
    def leg_raise(self) -> np.ndarray:
        """(T, 2) degrees forward of the line from hip to ankle, from straight down."""
        return np.degrees(np.arctan2(self.leg[..., 2], -self.leg[..., UP]))

    @cached_property
    def leg_stretch(self) -> np.ndarray:
        """(T, 2) 1 where hip, knee and ankle are in line."""
        return _stretch(self.pair("hip"), self.pair("knee"), self.pair("ankle"))

    @cached_property
    def arm(self) -> np.ndarray:
        """(T, 2, 3) wrists seen from their shoulders: outward, up, ahead; metres."""
        seen = self._seen(self.pair("wrist") - self.pair("shoulder"))
        return seen * np.array([[1.0, 1.0, 1.0], [-1.0, 1.0, 1.0]])

    @cached_property
    def arm_raise(self) -> np.ndarray:
        """(T, 2) degrees between the line from shoulder to wrist and straight down."""
        line = self.pair("wrist") - self.pair("shoulder")
        down = -line[..., UP] / np.maximum(np.linalg.norm(line, axis=-1), 1e-9)
        return np.degrees(np.arccos(np.clip(down, -1.0, 1.0)))

    @cached_property
    def elbow(self) -> np.ndarray:
        """(T, 2) degrees that each elbow is bent; 0 is straight."""
        upper = self.pair("elbow") - self.pair("shoulder")
        fore = self.pair("wrist") - self.pair("elbow")
        size = np.linalg.norm(upper, axis=-1) * np.linalg.norm(fore, axis=-1)
        cosine = (upper * fore).sum(axis=-1) / np.maximum(size, 1e-9)
        return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))

    @cached_property
    def wrists_apart(self) -> np.ndarray:
        """(T,) metres between the wrists."""
        wrists = self.pair("wrist")
        return np.linalg.norm(wrists[:, LEFT] - wrists[:, RIGHT], axis=1)

    @cached_property
    def wrist_to_head(self) -> np.ndarray:
        """(T, 2) metres from each wrist to the head joint."""
        return np.linalg.norm(self.pair("wrist") - self.of("head")[:, None], axis=-1)

    def travel(self, start: int, end: int) -> tuple[float, float]:
        """Metres that the pelvis goes ahead and to the left from frame `start` to `end`."""
        moved = (self.of("pelvis")[end] - self.of("pelvis")[start])[[0, 2]]
        return float(moved @ self.ahead[start]), float(moved @ self.aside[start])

    def acceleration(self) -> np.ndarray:
        """(T - 2,) metres a second squared of the joint that is thrown about most, as seen from
        the pelvis; the only curve in which time counts."""
        limbs = self.joints - self.joints[:, :1]
        return self.fps**2 * np.linalg.norm(np.diff(limbs, 2, axis=0), axis=-1).max(axis=1)

    def _seen(self, lines: np.ndarray) -> np.ndarray:
        """(T, 2, 3) lines of the world in the body's own directions: left, up, ahead."""
        level = lines[..., [0, 2]]
        left = (level * self.aside[:, None]).sum(axis=-1)
        ahead = (level * self.ahead[:, None]).sum(axis=-1)
        return np.stack([left, lines[..., UP], ahead], axis=-1)


def _stretch(root: np.ndarray, middle: np.ndarray, end: np.ndarray) -> np.ndarray:
    bones = np.linalg.norm(middle - root, axis=-1) + np.linalg.norm(end - middle, axis=-1)
    return np.linalg.norm(end - root, axis=-1) / np.maximum(bones, 1e-9)
