"""Turning on the spot by small steps."""

from dataclasses import dataclass

import numpy as np

from motiongpt.data.synthetic.action import SIDES, SPEEDS, Action, one_of
from motiongpt.data.synthetic.curves import clock
from motiongpt.data.synthetic.gait import Pace, Step, follow_feet, footprint, place_feet
from motiongpt.data.synthetic.performer import Performer
from motiongpt.data.synthetic.pose import FLEX, SPREAD, TWIST, Pose, outward, standing
from motiongpt.data.synthetic.words import Words

PERIODS = {"slow": 0.62, "normal": 0.46, "fast": 0.34}
PAIRS = {45: 1, 90: 2, 180: 3, 360: 5}  # steps of each foot


@dataclass(frozen=True)
class TurnParameters:
    """A turn by `degrees` to `side`, one step every `period` seconds."""

    side: str
    degrees: int
    speed: str
    period: float


class Turn(Action[TurnParameters]):
    """Parameters told: side, angle, speed."""

    name = "turn"
    words = (r"\b(?:turn|turns|turning|rotates|rotating|spins|spinning)\b",)

    def draw(self, rng: np.random.Generator) -> TurnParameters:
        """Draw parameters."""
        speed = one_of(rng, SPEEDS)
        degrees = one_of(rng, tuple(PAIRS)[: 3 if speed == "slow" else 4])
        period = PERIODS[speed] * rng.uniform(0.95, 1.05)
        return TurnParameters(one_of(rng, SIDES), degrees, speed, period)

    def perform(
        self, parameters: TurnParameters, performer: Performer, rng: np.random.Generator
    ) -> Pose:
        """The foot on the inner side opens, the other one closes; the head looks ahead."""
        inner = SIDES.index(parameters.side)
        pairs = PAIRS[parameters.degrees]
        pace = Pace(parameters.period, 0.0, swing=0.85)
        time = clock(pace.seconds(2 * pairs))
        pose = standing(len(time), performer)
        angle = outward(inner) * np.deg2rad(parameters.degrees)
        steps = []
        for index in range(2 * pairs):
            side = inner if index % 2 == 0 else 1 - inner
            # the foot that opens goes half a step further than the body has come
            heading = angle * min(1.0, (index // 2 + 1) / pairs)
            start = pace.rest + index * pace.period
            target = footprint(performer, side, 0.0, 0.0, heading)
            end = start + pace.swing * pace.period
            steps.append(Step(side, start, end, *target, lift=0.07, roll=0.35))
        place_feet(pose, time, steps)
        follow_feet(pose, time, steps, performer, 0.4 * pace.period, sway=0.03)
        rate = np.gradient(pose.heading) * 20.0  # radians per second
        pose.head[:, TWIST] += 0.12 * rate
        pose.spine[:, TWIST] += 0.06 * rate
        pose.arms[:, :, SPREAD] += 0.05 * np.abs(rate)[:, None]
        pose.arms[:, :, FLEX] += 0.03 * np.abs(rate)[:, None]
        return pose

    def phrases(self, parameters: TurnParameters, words: Words) -> tuple[str, ...]:
        """Side and angle; a half and a full turn also in words."""
        speed, side = words.speed(parameters.speed), parameters.side
        angle = f"{parameters.degrees} degrees"
        clockwise = "clockwise" if side == "right" else "counterclockwise"
        general = (
            f"<turn> {angle} to {words.pick('the', '{their}')} {side} {speed}",
            f"<turn> {side} by {angle} {speed}",
            f"<rotate> {angle} {clockwise} {speed}",
            f"<turn> {speed} to the {side} by about {angle} in place",
            f"<turn> {clockwise} on the spot by {angle} {speed}",
        )
        named = {
            45: (f"<turn> slightly to the {side}",),
            90: (f"<make> a quarter turn to the {side} {speed}",),
            180: (f"<turn> around to the {side} {speed}",),
            360: (f"<spin> around in a full circle to the {side} {speed}",),
        }
        return general + named[parameters.degrees]
