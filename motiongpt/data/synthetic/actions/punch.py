"""Punching straight ahead with one fist."""

from dataclasses import dataclass

import numpy as np

from motiongpt.data.synthetic.action import SIDES, SPEEDS, Action, one_of
from motiongpt.data.synthetic.arms import SPEED_JITTER, move_arm
from motiongpt.data.synthetic.curves import clock, hold, ramp
from motiongpt.data.synthetic.gait import lean
from motiongpt.data.synthetic.performer import Performer
from motiongpt.data.synthetic.pose import LEFT, RIGHT, TWIST, Pose, outward, standing
from motiongpt.data.synthetic.words import Words

PERIODS = {"slow": 1.10, "normal": 0.75, "fast": 0.50}
COUNTS = {"slow": (1, 2), "normal": (1, 4), "fast": (2, 5)}
REST, GUARD = 0.3, 0.5  # seconds


@dataclass(frozen=True)
class PunchParameters:
    """`count` punches with the fist of `side`, one every `period` seconds."""

    side: str
    speed: str
    period: float
    count: int


class Punch(Action[PunchParameters]):
    """Parameters told: hand, number of punches, speed."""

    name = "punch"
    words = (r"\bpunch",)

    def draw(self, rng: np.random.Generator) -> PunchParameters:
        """Draw parameters."""
        speed = one_of(rng, SPEEDS)
        low, high = COUNTS[speed]
        return PunchParameters(
            one_of(rng, SIDES),
            speed,
            PERIODS[speed] * rng.uniform(*SPEED_JITTER),
            int(rng.integers(low, high + 1)),
        )

    def perform(
        self, parameters: PunchParameters, performer: Performer, rng: np.random.Generator
    ) -> Pose:
        """Both fists up before the chin; one arm is stretched ahead and drawn back, again."""
        side, period = SIDES.index(parameters.side), parameters.period
        start = REST + GUARD * performer.tempo + 0.05
        end = start + parameters.count * period
        time = clock(end + GUARD * performer.tempo + REST)
        pose = standing(len(time), performer)
        guard = hold(time, REST, start - 0.05, end, end + GUARD * performer.tempo)
        for arm in (LEFT, RIGHT):
            move_arm(pose, arm, guard, rng.uniform(38.0, 46.0), 8.0, -18.0, 124.0)
        hit = np.zeros(len(time))
        for index in range(parameters.count):
            begin = start + index * period
            hit += ramp(time, begin, begin + 0.40 * period)
            hit -= ramp(time, begin + 0.50 * period, begin + period)
        move_arm(pose, side, hit, rng.uniform(84.0, 92.0), 2.0, -25.0, 8.0)
        # the shoulder of the fist goes ahead
        turn = np.deg2rad(16.0) * performer.vigour * hit
        pose.spine[:, TWIST] -= outward(side) * turn
        pose.hips[:, TWIST] -= outward(side) * 0.4 * turn
        pose.pelvis[:, 2] += 0.03 * hit
        lean(pose, np.deg2rad(5.0) * guard + np.deg2rad(4.0) * hit)
        return pose

    def phrases(self, parameters: PunchParameters, words: Words) -> tuple[str, ...]:
        """Hand with count or speed."""
        side, speed = parameters.side, words.speed(parameters.speed)
        times = words.times(parameters.count)
        punches = (
            words.pick("a punch", "one punch")
            if parameters.count == 1
            else f"{words.number(parameters.count)} punches"
        )
        hand = words.pick("hand", "fist", "arm")
        return (
            f"<punch> forward with {{their}} {side} {hand} {speed}",
            f"<punch> {times} with {{their}} {side} {hand}",
            f"<punch> straight ahead {times} with the {side} {hand} {speed}",
            f"<throw> {punches} with {{their}} {side} {hand}",
            f"<hold> up both fists and <punch> {times} with the {side} one",
            f"<punch> the air with {{their}} {side} {hand} {times} {speed}",
            f"<stand> in place and <punch> {speed} with the {side} {hand}",
        )
