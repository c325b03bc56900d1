"""Squats."""

from dataclasses import dataclass

import numpy as np

from motiongpt.data.synthetic.action import SPEEDS, Action, one_of
from motiongpt.data.synthetic.curves import clock, hold
from motiongpt.data.synthetic.gait import lean
from motiongpt.data.synthetic.performer import Performer
from motiongpt.data.synthetic.pose import ELBOW, FLEX, SPREAD, Pose, standing
from motiongpt.data.synthetic.words import Words

DEPTHS = {"half": (0.20, 0.24), "deep": (0.43, 0.48)}
PERIODS = {"slow": 2.1, "normal": 1.5, "fast": 1.1}
COUNTS = {"slow": 2, "normal": 3, "fast": 4}
REST = 0.3


@dataclass(frozen=True)
class SquatParameters:
    """`count` squats, one every `period` seconds; the pelvis sinks by `metres`."""

    depth: str
    metres: float
    speed: str
    period: float
    count: int


class Squat(Action[SquatParameters]):
    """Parameters told: number of squats, depth, speed."""

    name = "squat"
    words = (r"\bsquat(?:s|ting)?\b", r"\bknee bends?\b")

    def draw(self, rng: np.random.Generator) -> SquatParameters:
        """Draw parameters."""
        depth, speed = one_of(rng, tuple(DEPTHS)), one_of(rng, SPEEDS)
        period = PERIODS[speed] * rng.uniform(0.95, 1.05)
        low = 2 if speed == "fast" else 1
        count = int(rng.integers(low, COUNTS[speed] + 1))
        return SquatParameters(depth, rng.uniform(*DEPTHS[depth]), speed, period, count)

    def perform(
        self, parameters: SquatParameters, performer: Performer, rng: np.random.Generator
    ) -> Pose:
        """Hips back and down, trunk and arms forward, feet flat on the floor."""
        period = parameters.period
        time = clock(max(2 * REST + parameters.count * period, 2.1))
        pose = standing(len(time), performer)
        down = np.zeros(len(time))
        for index in range(parameters.count):
            start = REST + index * period
            down += hold(time, start, start + 0.45 * period, start + 0.55 * period, start + period)
        metres = parameters.metres
        pose.pelvis[:, 1] -= metres * down
        pose.pelvis[:, 2] -= (0.05 + 0.45 * metres) * down
        lean(pose, np.deg2rad(12.0 + 70.0 * metres) * down)
        pose.arms[:, :, FLEX] += np.deg2rad(40.0 + 110.0 * metres) * down[:, None]
        pose.arms[:, :, SPREAD] -= 0.5 * performer.arm_spread * down[:, None]
        pose.arms[:, :, ELBOW] -= 0.5 * performer.elbow * down[:, None]
        return pose

    def phrases(self, parameters: SquatParameters, words: Words) -> tuple[str, ...]:
        """Count with depth or speed."""
        speed, times = words.speed(parameters.speed), words.times(parameters.count)
        kind = {"half": words.pick("half", "shallow"), "deep": "deep"}[parameters.depth]
        how = {"half": "halfway down", "deep": "down low"}[parameters.depth]
        squats = words.count(parameters.count, f"{kind} squat")
        bends = words.count(parameters.count, f"{kind} knee bend")
        return (
            f"<squat> {how} {times} {speed}",
            f"<squat> {speed} {times}",
            f"<do> {squats} {speed}",
            f"<perform> {squats}",
            f"<do> {bends} {speed}",
            f"<squat> {how} with {{their}} arms in front, {times}",
            f"<bend> {{their}} knees to squat {how} {times}",
        )
