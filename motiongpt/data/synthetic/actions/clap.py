"""Clapping hands in front of the chest or overhead."""

from dataclasses import dataclass

import numpy as np

from motiongpt.data.synthetic.action import SPEEDS, Action, one_of
from motiongpt.data.synthetic.arms import SPEED_JITTER, move_arm, reach_to
from motiongpt.data.synthetic.curves import bump, clock, hold
from motiongpt.data.synthetic.performer import Performer
from motiongpt.data.synthetic.pose import LEFT, RIGHT, Pose, standing
from motiongpt.data.synthetic.words import Words

PERIODS = {"slow": 0.80, "normal": 0.56, "fast": 0.40}
COUNTS = {"slow": (2, 3), "normal": (2, 5), "fast": (3, 6)}
# Height and distance ahead of the wrists seen from spine3, metres; the arms' angles, degrees,
# that bring the hands near.
POSITIONS = {
    "chest": ((0.06, 0.34), (42.0, 12.0, -35.0, 80.0)),
    "overhead": ((0.60, 0.12), (148.0, 22.0, -30.0, 35.0)),
}
CLOSED = 0.03  # metres from a wrist to the middle when the palms meet
REST, LIFT = 0.3, 0.6  # seconds


@dataclass(frozen=True)
class ClapParameters:
    """`count` claps, one every `period` seconds."""

    height: str
    speed: str
    period: float
    count: int


class Clap(Action[ClapParameters]):
    """Parameters told: height, number of claps, speed."""

    name = "clap"
    words = (r"\bclap", r"\bapplaud")

    def draw(self, rng: np.random.Generator) -> ClapParameters:
        """Draw parameters."""
        speed = one_of(rng, SPEEDS)
        low, high = COUNTS[speed]
        return ClapParameters(
            one_of(rng, tuple(POSITIONS)),
            speed,
            PERIODS[speed] * rng.uniform(*SPEED_JITTER),
            int(rng.integers(low, high + 1)),
        )

    def perform(
        self, parameters: ClapParameters, performer: Performer, rng: np.random.Generator
    ) -> Pose:
        """Hands up and apart, together and apart again for every clap, down."""
        lift = LIFT * performer.tempo * (1.25 if parameters.height == "overhead" else 1.0)
        start = REST + lift
        end = start + parameters.count * parameters.period
        time = clock(end + lift + REST)
        pose = standing(len(time), performer)
        up = hold(time, REST, start, end, end + lift)
        together = np.zeros(len(time))
        for index in range(parameters.count):
            begin = start + index * parameters.period
            together += bump(time, begin, begin + parameters.period)
        apart = rng.uniform(0.15, 0.18) * performer.vigour
        aside = apart + (CLOSED - apart) * together
        (height, ahead), angles = POSITIONS[parameters.height]
        level = np.full(len(time), height + rng.uniform(-0.02, 0.02))
        for side in (LEFT, RIGHT):
            move_arm(pose, side, up, *angles)
            reach_to(pose, side, up, aside, level, np.full(len(time), ahead))
        return pose

    def phrases(self, parameters: ClapParameters, words: Words) -> tuple[str, ...]:
        """Height with count or speed."""
        speed, times = words.speed(parameters.speed), words.times(parameters.count)
        chest = words.pick("in front of {their} chest", "at chest height")
        above = words.pick("above {their} head", "over {their} head", "overhead")
        where = chest if parameters.height == "chest" else above
        return (
            f"<clap> {{their}} hands {where} {speed}",
            f"<clap> {times} {where}",
            f"<clap> {{their}} hands {times} {speed}",
            f"<clap> {speed} {where} {times}",
            f"<bring> {{their}} hands together {where} and <clap> {times}",
            f"<stand> still and <clap> {{their}} hands {times}",
            f"<applaud> {speed} with {{their}} hands {where}"
            if parameters.height == "chest"
            else f"<clap> both hands together high {where} {speed}",
        )
