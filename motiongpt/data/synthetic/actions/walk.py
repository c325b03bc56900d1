"""Walking straight ahead."""

from dataclasses import dataclass

import numpy as np

from motiongpt.data.synthetic.action import SPEEDS, Action, one_of
from motiongpt.data.synthetic.curves import clock
from motiongpt.data.synthetic.gait import (
    Pace,
    follow_feet,
    place_feet,
    straight_steps,
    swing_arms,
)
from motiongpt.data.synthetic.performer import Performer
from motiongpt.data.synthetic.pose import Pose, standing
from motiongpt.data.synthetic.words import Words

PACES = {"slow": (0.78, 0.46), "normal": (0.56, 0.64), "fast": (0.43, 0.78)}
COUNTS = {"slow": (4, 5), "normal": (4, 7), "fast": (5, 9)}
AROUND = {"slow": "slow", "normal": "", "fast": "quick"}


@dataclass(frozen=True)
class WalkParameters:
    """`count` steps of `pace`, starting with foot `first`."""

    speed: str
    pace: Pace
    count: int
    first: int

    @property
    def distance(self) -> float:
        """Metres travelled."""
        return self.pace.length * (self.count - 1.4)


class Walk(Action[WalkParameters]):
    """Parameters told: speed, number of steps, distance."""

    name = "walk"
    words = (r"\b(?:walks|walking|strolls|strolling)\b(?!(?: \w+){0,2} back)",)

    def draw(self, rng: np.random.Generator) -> WalkParameters:
        """Draw parameters."""
        speed = one_of(rng, SPEEDS)
        period, length = PACES[speed]
        pace = Pace(period * rng.uniform(0.95, 1.05), length * rng.uniform(0.93, 1.07))
        low, high = COUNTS[speed]
        return WalkParameters(speed, pace, int(rng.integers(low, high + 1)), int(rng.integers(2)))

    def perform(
        self, parameters: WalkParameters, performer: Performer, rng: np.random.Generator
    ) -> Pose:
        """Steps, a body that follows them, arms that swing against them."""
        pace = parameters.pace
        time = clock(pace.seconds(parameters.count))
        pose = standing(len(time), performer)
        steps = straight_steps(performer, pace, parameters.count, parameters.first)
        place_feet(pose, time, steps)
        follow_feet(pose, time, steps, performer, pace.smoothing)
        swing_arms(pose, 0.65 * performer.vigour, elbows=0.5)
        return pose

    def phrases(self, parameters: WalkParameters, words: Words) -> tuple[str, ...]:
        """Speed with steps or distance."""
        speed = words.speed(parameters.speed)
        steps = words.count(parameters.count, "step")
        distance = words.metres(parameters.distance)
        quality = AROUND[parameters.speed]
        return (
            f"<walk> forward {speed}",
            f"<walk> {speed} straight ahead for {distance}",
            f"<walk> {distance} forward {speed}",
            f"<walk> {speed} forward and <take> {steps}",
            f"<take> {steps} forward, walking {speed}".rstrip(),
            f"<stroll> forward for {distance}"
            if parameters.speed == "slow"
            else f"<walk> in a straight line for {distance} {speed}",
            f"<take> {steps} walking ahead at a {quality} pace"
            if quality
            else f"<walk> forward for {steps}",
        )
