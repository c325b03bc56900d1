"""Stepping sideways to the left or right."""

from dataclasses import dataclass

import numpy as np

from motiongpt.data.synthetic.action import SIDES, SPEEDS, Action, one_of
from motiongpt.data.synthetic.curves import clock
from motiongpt.data.synthetic.gait import Pace, Step, follow_feet, footprint, place_feet
from motiongpt.data.synthetic.performer import Performer
from motiongpt.data.synthetic.pose import FLEX, LEFT, RIGHT, SPREAD, Pose, outward, standing
from motiongpt.data.synthetic.words import Words

PACES = {"slow": (0.62, 0.34), "normal": (0.46, 0.42), "fast": (0.34, 0.50)}


@dataclass(frozen=True)
class SidestepParameters:
    """`count` times: the foot of `side` steps out, the other one closes."""

    side: str
    speed: str
    pace: Pace
    count: int

    @property
    def distance(self) -> float:
        """Metres travelled."""
        return self.pace.length * self.count


class Sidestep(Action[SidestepParameters]):
    """Parameters told: side, number of steps, speed, distance."""

    name = "sidestep"
    words = (
        r"\bsidestep",
        r"\bsideways\b",
        r"\bstep\w*(?: \w+){0,3} to (?:the|their|his|her) (?:left|right)\b",
        r"\bside steps?\b",
    )

    def draw(self, rng: np.random.Generator) -> SidestepParameters:
        """Draw parameters."""
        speed = one_of(rng, SPEEDS)
        period, length = PACES[speed]
        pace = Pace(period * rng.uniform(0.95, 1.05), length * rng.uniform(0.93, 1.07), swing=0.85)
        count = int(rng.integers(2, 4 if speed == "slow" else 5))
        return SidestepParameters(one_of(rng, SIDES), speed, pace, count)

    def perform(
        self, parameters: SidestepParameters, performer: Performer, rng: np.random.Generator
    ) -> Pose:
        """Out and close, out and close; the arms hang a little away from the body."""
        pace, lead = parameters.pace, SIDES.index(parameters.side)
        time = clock(pace.seconds(2 * parameters.count))
        pose = standing(len(time), performer)
        steps = []
        for index in range(2 * parameters.count):
            side = lead if index % 2 == 0 else 1 - lead
            reached = outward(lead) * pace.length * (index // 2 + 1)
            start = pace.rest + index * pace.period
            end = start + pace.swing * pace.period
            target = footprint(performer, side, reached, 0.0, 0.0)
            steps.append(Step(side, start, end, *target, lift=0.08, roll=0.35))
        place_feet(pose, time, steps)
        follow_feet(pose, time, steps, performer, 0.4 * pace.period, sway=0.015)
        apart = pose.feet[:, LEFT, 0] - pose.feet[:, RIGHT, 0]
        open_arms = (apart - apart[0]) * 0.5 * performer.vigour
        pose.arms[:, :, SPREAD] += open_arms[:, None]
        pose.arms[:, :, FLEX] += 0.3 * open_arms[:, None]
        return pose

    def phrases(self, parameters: SidestepParameters, words: Words) -> tuple[str, ...]:
        """Side with count, speed or distance."""
        speed, side = words.speed(parameters.speed), parameters.side
        steps = words.count(parameters.count, "step")
        twist = words.pick("the", "{their}")
        return (
            f"<take> {steps} to {twist} {side} {speed}",
            f"<sidestep> to {twist} {side} {words.times(parameters.count)} {speed}",
            f"<step> sideways to {twist} {side} {words.times(parameters.count)} {speed}",
            f"<take> {words.count(parameters.count, 'side step')} to {twist} {side}",
            f"<move> sideways to {twist} {side} {speed} for {words.metres(parameters.distance)}",
            f"<sidestep> {speed} to {twist} {side}",
        )
