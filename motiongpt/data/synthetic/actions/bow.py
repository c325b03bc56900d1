"""Bowing: the trunk bends forward at the hips."""

from dataclasses import dataclass

import numpy as np

from motiongpt.data.synthetic.action import SPEEDS, Action, one_of
from motiongpt.data.synthetic.arms import SPEED_JITTER
from motiongpt.data.synthetic.curves import clock, hold
from motiongpt.data.synthetic.performer import Performer
from motiongpt.data.synthetic.pose import FLEX, FORWARD, Pose, standing
from motiongpt.data.synthetic.words import Words

DEPTHS = {"slight": 24.0, "normal": 46.0, "deep": 78.0}  # degrees of the chest
PERIODS = {"slow": 2.9, "normal": 2.1, "fast": 1.5}
COUNTS = {"slow": (1, 1), "normal": (1, 2), "fast": (1, 2)}
ADVERBS = {"slight": ("slightly", "a little"), "normal": ("", ""), "deep": ("deeply", "low")}
REST = 0.35  # seconds


@dataclass(frozen=True)
class BowParameters:
    """`count` bows of `period` seconds each."""

    depth: str
    speed: str
    period: float
    count: int


class Bow(Action[BowParameters]):
    """Parameters told: depth, number of bows, speed."""

    name = "bow"
    words = (r"\bbow(?:s|ing)?\b", r"\b(?:bends?|bending)(?: \w+){0,2} (?:forward|at the waist)\b")

    def draw(self, rng: np.random.Generator) -> BowParameters:
        """Draw parameters."""
        speed = one_of(rng, SPEEDS)
        low, high = COUNTS[speed]
        return BowParameters(
            one_of(rng, tuple(DEPTHS)),
            speed,
            PERIODS[speed] * rng.uniform(*SPEED_JITTER),
            int(rng.integers(low, high + 1)),
        )

    def perform(
        self, parameters: BowParameters, performer: Performer, rng: np.random.Generator
    ) -> Pose:
        """Hips and back bend, the hips go back to keep the balance, the head goes along."""
        period = parameters.period
        time = clock(2.0 * REST + parameters.count * period)
        pose = standing(len(time), performer)
        down = np.zeros(len(time))
        for index in range(parameters.count):
            start = REST + index * period
            down += hold(time, start, start + 0.42 * period, start + 0.58 * period, start + period)
        depth = np.deg2rad(DEPTHS[parameters.depth] * rng.uniform(0.92, 1.08))
        bend = depth * down
        pose.hips[:, FORWARD] += 0.58 * bend
        pose.spine[:, FORWARD] += 0.42 * bend
        pose.head[:, FORWARD] += 0.4 * bend
        pose.pelvis[:, 2] -= 0.11 * np.sin(bend)
        pose.arms[:, :, FLEX] += (
            0.6 * bend[:, None]
        )  # the arms hang halfway between thigh and floor
        return pose

    def phrases(self, parameters: BowParameters, words: Words) -> tuple[str, ...]:
        """Depth with count or speed."""
        speed, times = words.speed(parameters.speed), words.times(parameters.count)
        how = words.pick(*ADVERBS[parameters.depth])
        size = {"slight": "slight ", "normal": "", "deep": "deep "}[parameters.depth]
        bows = f"a {size}bow" if parameters.count == 1 else f"{words.number(2)} {size}bows"
        return (
            f"<bow> {how} {speed}",
            f"<bow> {how} {times}",
            f"<take> {bows} {speed}",
            f"<bend> forward {how} at the waist {times}",
            f"<bow> {how} forward and <straighten> up again {speed}",
            f"<stand> still and <bow> {how} {times}",
            f"<bend> {how} forward {times} {speed} to greet somebody",
            f"<bow> {how} {times} {speed}",
        )
