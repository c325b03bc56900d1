"""Raising one arm or both: forward, to the side, or overhead."""

from dataclasses import dataclass

import numpy as np

from motiongpt.data.synthetic.action import SIDES, SPEEDS, Action, one_of
from motiongpt.data.synthetic.arms import SPEED_JITTER, move_arm
from motiongpt.data.synthetic.curves import clock, glide, smooth
from motiongpt.data.synthetic.performer import Performer
from motiongpt.data.synthetic.pose import FORWARD, SIDE, Pose, outward, standing
from motiongpt.data.synthetic.words import Words

PERIODS = {"slow": 2.0, "normal": 1.6, "fast": 1.25}
COUNTS = {"slow": (1, 2), "normal": (1, 2), "fast": (1, 3)}
# flex, spread, roll, elbow of the raised arm in degrees
DIRECTIONS = {
    "forward": (90.0, 4.0, -5.0, 8.0),
    "side": (4.0, 90.0, 0.0, 8.0),
    "overhead": (170.0, 8.0, -10.0, 10.0),
}
REST = 0.45  # seconds
STROKE = 0.4  # part of a period that goes up, and down


@dataclass(frozen=True)
class RaiseArmsParameters:
    """`count` times up and down in `period` seconds; `side` is left, right or both."""

    side: str
    direction: str
    speed: str
    period: float
    count: int


class RaiseArms(Action[RaiseArmsParameters]):
    """Parameters told: arm, direction and height, number of times, speed."""

    name = "raise_arms"
    words = (r"\b(?:raises?|raising|lifts?|lifting)(?: \w+){0,3} arms?\b",)

    def draw(self, rng: np.random.Generator) -> RaiseArmsParameters:
        """Draw parameters."""
        speed = one_of(rng, SPEEDS)
        low, high = COUNTS[speed]
        return RaiseArmsParameters(
            one_of(rng, (*SIDES, "both")),
            one_of(rng, tuple(DIRECTIONS)),
            speed,
            PERIODS[speed] * rng.uniform(*SPEED_JITTER),
            int(rng.integers(low, high + 1)),
        )

    def perform(
        self, parameters: RaiseArmsParameters, performer: Performer, rng: np.random.Generator
    ) -> Pose:
        """Straight arms up, a short stop, down; the trunk leans against one arm's weight."""
        period = parameters.period
        time = clock(2.0 * REST + parameters.count * period)
        pose = standing(len(time), performer)
        up = np.zeros(len(time))
        for index in range(parameters.count):
            start = REST + index * period
            up += glide(time, start, start + STROKE * period)
            up -= glide(time, start + (1.0 - STROKE) * period, start + period)
        up = smooth(up, 0.05)
        flex, spread, roll, elbow = np.array(DIRECTIONS[parameters.direction]) + rng.uniform(
            -4.0, 4.0, 4
        )
        for side in self._sides(parameters):
            move_arm(pose, side, up, flex, spread, roll, elbow)
            if parameters.side != "both":
                pose.spine[:, SIDE] -= outward(side) * np.deg2rad(2.5) * up
        if parameters.direction == "overhead":
            pose.head[:, FORWARD] -= np.deg2rad(8.0) * up
        return pose

    @staticmethod
    def _sides(parameters: RaiseArmsParameters) -> tuple[int, ...]:
        return (0, 1) if parameters.side == "both" else (SIDES.index(parameters.side),)

    def phrases(self, parameters: RaiseArmsParameters, words: Words) -> tuple[str, ...]:
        """Arm and direction with count or speed."""
        both = parameters.side == "both"
        arm = "both arms" if both else f"{{their}} {parameters.side} arm"
        them = "them" if both else "it"
        speed, times = words.speed(parameters.speed), words.times(parameters.count)
        out = "out to the sides" if both else "out to the side"
        where = {
            "forward": ("forward to shoulder height", "straight out in front of {their} body"),
            "side": (f"{out} to shoulder height", out),
            "overhead": ("above {their} head", "straight up overhead"),
        }[parameters.direction]
        to = words.pick(*where)
        return (
            f"<raise> {arm} {to} {speed}",
            f"<lift> {arm} {to} {speed}",
            f"<raise> {arm} {to} {times}",
            f"<raise> {arm} {to} and <lower> {them} again {speed}",
            f"<stand> in place and <lift> {arm} {to} {times}",
            f"{speed} <raise> {arm} {to}" if speed.endswith("ly") else f"<raise> {arm} {to}",
            f"<lift> {arm} {to} {times} {speed}",
        )
