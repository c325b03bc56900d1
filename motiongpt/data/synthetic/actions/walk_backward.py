"""Walking backward."""

from dataclasses import dataclass

import numpy as np

from motiongpt.data.synthetic.action import Action, one_of
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

PACES = {"slow": (0.85, 0.36), "normal": (0.62, 0.46), "fast": (0.48, 0.58)}
COUNTS = {"slow": (3, 5), "normal": (4, 6), "fast": (5, 8)}


@dataclass(frozen=True)
class WalkBackwardParameters:
    """`count` steps of `pace`, starting with foot `first`."""

    speed: str
    pace: Pace
    count: int
    first: int

    @property
    def distance(self) -> float:
        """Metres travelled."""
        return self.pace.length * (self.count - 1.4)


class WalkBackward(Action[WalkBackwardParameters]):
    """Parameters told: speed, number of steps, distance."""

    name = "walk_backward"
    words = (r"\b(?:walks|walking|moves|moving|steps?|stepping)(?: \w+){0,2} back",)

    def draw(self, rng: np.random.Generator) -> WalkBackwardParameters:
        """Draw parameters."""
        speed = one_of(rng, tuple(PACES))
        period, length = PACES[speed]
        pace = Pace(period * rng.uniform(0.95, 1.05), length * rng.uniform(0.93, 1.07))
        low, high = COUNTS[speed]
        count = int(rng.integers(low, high + 1))
        return WalkBackwardParameters(speed, pace, count, int(rng.integers(2)))

    def perform(
        self, parameters: WalkBackwardParameters, performer: Performer, rng: np.random.Generator
    ) -> Pose:
        """As walking, with feet that land on their balls and less swing of the arms."""
        pace = parameters.pace
        time = clock(pace.seconds(parameters.count))
        pose = standing(len(time), performer)
        steps = straight_steps(
            performer, pace, parameters.count, parameters.first, direction=np.pi, roll=-0.8
        )
        place_feet(pose, time, steps)
        follow_feet(pose, time, steps, performer, pace.smoothing)
        swing_arms(pose, 0.5 * performer.vigour, elbows=0.3)
        return pose

    def phrases(self, parameters: WalkBackwardParameters, words: Words) -> tuple[str, ...]:
        """Speed with steps or distance."""
        speed = words.speed(parameters.speed)
        steps = words.count(parameters.count, "step")
        distance = words.metres(parameters.distance)
        back = words.pick("backward", "backwards")
        return (
            f"<walk> {back} {speed}",
            f"<walk> {back} for {distance} {speed}",
            f"<take> {steps} {back} {speed}",
            f"<walk> {back} {speed} and <take> {steps}",
            f"<move> {back} {speed}, taking {steps}",
            f"<step> {back} {speed} for {distance}",
        )
