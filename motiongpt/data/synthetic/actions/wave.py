"""Waving with one hand."""

from dataclasses import dataclass

import numpy as np

from motiongpt.data.synthetic.action import SIDES, SPEEDS, Action, one_of
from motiongpt.data.synthetic.arms import SPEED_JITTER, move_arm
from motiongpt.data.synthetic.curves import bump, clock, hold
from motiongpt.data.synthetic.performer import Performer
from motiongpt.data.synthetic.pose import ELBOW, SIDE, Pose, outward, standing
from motiongpt.data.synthetic.words import Words

PERIODS = {"slow": 0.80, "normal": 0.56, "fast": 0.40}
COUNTS = {"slow": (2, 3), "normal": (2, 4), "fast": (3, 6)}
# Spread of the upper arm and bend of the elbow, degrees, with the hand at the inner turning point.
HEIGHTS = {"head": (72.0, 122.0), "high": (124.0, 86.0)}
SWING = 58.0  # degrees that the elbow opens outward in every wave
REST, LIFT = 0.3, 0.6  # seconds


@dataclass(frozen=True)
class WaveParameters:
    """`count` swings of the raised hand of `side`, one every `period` seconds."""

    side: str
    height: str
    speed: str
    period: float
    count: int


class Wave(Action[WaveParameters]):
    """Parameters told: hand, height, number of swings, speed."""

    name = "wave"
    words = (r"\b(?:waves?|waving)\b",)

    def draw(self, rng: np.random.Generator) -> WaveParameters:
        """Draw parameters."""
        speed = one_of(rng, SPEEDS)
        low, high = COUNTS[speed]
        return WaveParameters(
            one_of(rng, SIDES),
            one_of(rng, tuple(HEIGHTS)),
            speed,
            PERIODS[speed] * rng.uniform(*SPEED_JITTER),
            int(rng.integers(low, high + 1)),
        )

    def perform(
        self, parameters: WaveParameters, performer: Performer, rng: np.random.Generator
    ) -> Pose:
        """The arm goes up beside the head, the forearm swings out and in, the arm goes down."""
        side = SIDES.index(parameters.side)
        lift = LIFT * performer.tempo
        start = REST + lift
        end = start + parameters.count * parameters.period
        time = clock(end + lift + REST)
        pose = standing(len(time), performer)
        up = hold(time, REST, start, end, end + lift)
        spread, elbow = HEIGHTS[parameters.height]
        flex, turn = rng.uniform(12.0, 24.0), rng.uniform(80.0, 92.0)
        move_arm(pose, side, up, flex, spread + rng.uniform(-6.0, 6.0), turn, elbow)
        swing = np.deg2rad(SWING) * performer.vigour
        for index in range(parameters.count):
            begin = start + index * parameters.period
            pose.arms[:, side, ELBOW] -= swing * bump(time, begin, begin + parameters.period)
        pose.spine[:, SIDE] -= outward(side) * np.deg2rad(3.0) * up
        return pose

    def phrases(self, parameters: WaveParameters, words: Words) -> tuple[str, ...]:
        """Hand with count, height or speed."""
        side, speed = parameters.side, words.speed(parameters.speed)
        times = words.times(parameters.count)
        level = "high above" if parameters.height == "high" else "next to"
        return (
            f"<wave> with {{their}} {side} hand {speed}",
            f"<wave> {{their}} {side} hand {times}",
            f"<wave> {times} with {{their}} {side} hand {speed}",
            f"<raise> {{their}} {side} hand and <wave> it {times}",
            f"<stand> still and <wave> {speed} with the {side} hand",
            f"<wave> {{their}} {side} hand {level} {{their}} head {speed}",
            f"<lift> the {side} hand {level} {{their}} head and <wave> {times}",
            f"<wave> hello {speed} with the {side} hand",
        )
