"""Lunges: a long step forward, down and back."""

from dataclasses import dataclass

import numpy as np

from motiongpt.data.synthetic.action import SIDES, SPEEDS, Action, one_of
from motiongpt.data.synthetic.curves import clock, hold
from motiongpt.data.synthetic.gait import Step, footprint, place_feet
from motiongpt.data.synthetic.performer import Performer
from motiongpt.data.synthetic.pose import ELBOW, FLEX, FORWARD, SPREAD, Pose, standing
from motiongpt.data.synthetic.words import Words

PERIODS = {"slow": 2.7, "normal": 2.1, "fast": 1.7}
REST = 0.35


@dataclass(frozen=True)
class LungeParameters:
    """`count` lunges with the leg of `side`, each `length` metres far, within `period` seconds."""

    side: str
    speed: str
    period: float
    length: float
    count: int


class Lunge(Action[LungeParameters]):
    """Parameters told: leg, number of lunges, speed."""

    name = "lunge"
    words = (r"\blung(?:es?|ing)\b",)

    def draw(self, rng: np.random.Generator) -> LungeParameters:
        """Draw parameters."""
        speed = one_of(rng, SPEEDS)
        period = PERIODS[speed] * rng.uniform(0.95, 1.05)
        count = int(rng.integers(1, 2 if speed == "slow" else 3))
        return LungeParameters(one_of(rng, SIDES), speed, period, rng.uniform(0.66, 0.76), count)

    def perform(
        self, parameters: LungeParameters, performer: Performer, rng: np.random.Generator
    ) -> Pose:
        """One foot goes ahead, both knees bend, the heel behind rises, the foot comes back."""
        front, period = SIDES.index(parameters.side), parameters.period
        time = clock(2 * REST + parameters.count * period)
        pose = standing(len(time), performer)
        out = footprint(performer, front, 0.0, parameters.length, 0.0)
        home = footprint(performer, front, 0.0, 0.0, 0.0)
        steps, ahead, down = [], np.zeros(len(time)), np.zeros(len(time))
        for index in range(parameters.count):
            start = REST + index * period
            landed, leaves, back = start + 0.32 * period, start + 0.66 * period, start + period
            steps.append(Step(front, start, landed, *out, lift=0.10, roll=0.6))
            steps.append(Step(front, leaves, back - 0.04 * period, *home, lift=0.10, roll=-0.5))
            turning = 0.08 * period
            ahead += hold(time, start, landed + turning, leaves - turning, back)
            down += hold(time, start + 0.1 * period, landed + turning, leaves - turning, back)
        place_feet(pose, time, steps)
        pose.foot_pitch[:, 1 - front] += np.deg2rad(48.0) * ahead
        pose.pelvis[:, 1] -= 0.32 * down
        pose.pelvis[:, 2] += 0.52 * parameters.length * ahead
        pose.spine[:, FORWARD] += np.deg2rad(6.0) * ahead
        pose.arms[:, :, SPREAD] += np.deg2rad(22.0) * performer.vigour * down[:, None]
        pose.arms[:, :, ELBOW] += np.deg2rad(55.0) * down[:, None]
        pose.arms[:, :, FLEX] -= np.deg2rad(14.0) * down[:, None]
        return pose

    def phrases(self, parameters: LungeParameters, words: Words) -> tuple[str, ...]:
        """Leg with count or speed."""
        speed, side = words.speed(parameters.speed), parameters.side
        times = words.times(parameters.count)
        lunges = words.count(parameters.count, "lunge")
        limb = words.pick("leg", "foot")
        return (
            f"<lunge> forward with {{their}} {side} {limb} {times} {speed}",
            f"<lunge> forward {speed} with the {side} {limb}",
            f"<do> {lunges} with {{their}} {side} leg forward",
            f"<perform> {lunges} on the {side} side {speed}",
            f"<put> {{their}} {side} foot forward into a lunge {times} {speed}",
            f"<do> {lunges}, stepping out with {{their}} {side} {limb}",
            f"<lunge> {times} with {{their}} {side} leg and <return> to standing",
        )
