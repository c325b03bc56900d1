"""Marching in place with raised knees."""

from dataclasses import dataclass

import numpy as np

from motiongpt.data.synthetic.action import SPEEDS, Action, one_of
from motiongpt.data.synthetic.curves import bump, clock
from motiongpt.data.synthetic.gait import Step, follow_feet, footprint, place_feet
from motiongpt.data.synthetic.performer import Performer
from motiongpt.data.synthetic.pose import ELBOW, FLEX, Pose, standing
from motiongpt.data.synthetic.words import Words

PERIODS = {"slow": 0.85, "normal": 0.62, "fast": 0.46}
REST = 0.35


@dataclass(frozen=True)
class MarchParameters:
    """`count` raised knees, one every `period` seconds, the foot `first` first."""

    speed: str
    period: float
    count: int
    first: int


class March(Action[MarchParameters]):
    """Parameters told: number of steps, speed."""

    name = "march"
    words = (r"\bmarch", r"\bin place, (?:lifting|raising)")

    def draw(self, rng: np.random.Generator) -> MarchParameters:
        """Draw parameters."""
        speed = one_of(rng, SPEEDS)
        period = PERIODS[speed] * rng.uniform(0.95, 1.05)
        count = int(rng.integers(4, 6 if speed == "slow" else 9))
        return MarchParameters(speed, period, count, int(rng.integers(2)))

    def perform(
        self, parameters: MarchParameters, performer: Performer, rng: np.random.Generator
    ) -> Pose:
        """Knees up to the height of the hips, the opposite arm swings forward."""
        period = parameters.period
        time = clock(2 * REST + parameters.count * period)
        pose = standing(len(time), performer)
        height = rng.uniform(0.34, 0.40)
        steps = []
        for index in range(parameters.count):
            side = (parameters.first + index) % 2
            start = REST + index * period
            target = footprint(performer, side, 0.0, 0.0, 0.0)
            end = start + 0.94 * period
            steps.append(Step(side, start, end, *target, lift=height, roll=0.7, ahead=0.26))
            forward = bump(time, start - 0.05, end + 0.05)
            pose.arms[:, 1 - side, FLEX] += np.deg2rad(42.0) * performer.vigour * forward
            pose.arms[:, 1 - side, ELBOW] += np.deg2rad(35.0) * forward
            pose.arms[:, side, FLEX] -= np.deg2rad(18.0) * performer.vigour * forward
        place_feet(pose, time, steps)
        follow_feet(pose, time, steps, performer, 0.1, sway=0.035)
        return pose

    def phrases(self, parameters: MarchParameters, words: Words) -> tuple[str, ...]:
        """Count and speed."""
        speed = words.speed(parameters.speed)
        steps = words.count(parameters.count, "step")
        return (
            f"<march> in place {speed}",
            f"<march> on the spot {speed} for {steps}",
            f"<march> in place {speed}, taking {steps}",
            f"<march> {speed} without moving forward, lifting {{their}} knees high",
            f"<march> on the spot, raising {{their}} knees {words.times(parameters.count)}",
        )
