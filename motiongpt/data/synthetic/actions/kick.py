"""Kicking forward with one leg."""

from dataclasses import dataclass

import numpy as np

from motiongpt.data.synthetic.action import SIDES, Action, one_of
from motiongpt.data.synthetic.curves import clock, hold, through
from motiongpt.data.synthetic.performer import Performer
from motiongpt.data.synthetic.pose import (
    ELBOW,
    FLEX,
    FORWARD,
    SIDE,
    SPREAD,
    TWIST,
    Pose,
    outward,
    standing,
)
from motiongpt.data.synthetic.words import Words

ANGLES = {"low": (38.0, 48.0), "high": (82.0, 94.0)}  # degrees of the leg from the vertical
PERIODS = {"low": 1.15, "high": 1.4}
LEG = 0.81  # metres from hip to ankle of a person who stands
REST = 0.3
SHIFT = 0.35  # seconds to shift the weight before the first kick, and after the last one


@dataclass(frozen=True)
class KickParameters:
    """`count` kicks with the leg of `side`, which rises to `angle` radians."""

    side: str
    height: str
    angle: float
    count: int


class Kick(Action[KickParameters]):
    """Parameters told: leg, height, number of kicks."""

    name = "kick"
    words = (r"\bkick(?:s|ing)?\b",)

    def draw(self, rng: np.random.Generator) -> KickParameters:
        """Draw parameters."""
        height = one_of(rng, tuple(ANGLES))
        angle = float(np.deg2rad(rng.uniform(*ANGLES[height])))
        return KickParameters(one_of(rng, SIDES), height, angle, int(rng.integers(1, 4)))

    def perform(
        self, parameters: KickParameters, performer: Performer, rng: np.random.Generator
    ) -> Pose:
        """Weight on the other leg; the foot goes back, swings up, and comes down again."""
        side = SIDES.index(parameters.side)
        sign, other = outward(side), 1 - side
        period = PERIODS[parameters.height] * performer.tempo
        first = REST + SHIFT
        end = first + parameters.count * period
        time = clock(end + SHIFT + REST)
        pose = standing(len(time), performer)
        swing, length = np.zeros(len(time)), np.full(len(time), LEG)
        for index in range(parameters.count):
            since = time - first - index * period
            keys = np.array([0.0, 0.25, 0.60, 1.0]) * period
            swing += through(since, keys, [0.0, np.deg2rad(-24.0), parameters.angle, 0.0])
            length -= through(since, keys, [0.0, 0.13, 0.01, 0.0])
            bent = np.array([0.60, 0.80, 1.0]) * period
            length -= through(since, bent, [0.0, 0.12, 0.0])
        shifted = hold(time, REST - 0.1, first, end, end + SHIFT + 0.1)
        pose.feet[:, side, 2] += length * np.sin(swing)
        pose.feet[:, side, 1] += LEG - length * np.cos(swing)
        pose.foot_pitch[:, side] -= np.where(swing > 0, 0.75, 1.3) * swing
        pose.pelvis[:, 0] -= 0.9 * sign * performer.half_stance * shifted
        forward = np.maximum(swing, 0.0)
        pose.hips[:, FORWARD] -= 0.16 * forward
        pose.hips[:, SIDE] -= np.deg2rad(3.0) * sign * shifted
        pose.hips[:, TWIST] -= 0.12 * sign * swing
        pose.spine[:, TWIST] += 0.25 * sign * swing
        pose.arms[:, other, FLEX] += 0.7 * performer.vigour * swing
        pose.arms[:, side, FLEX] -= 0.4 * performer.vigour * swing
        pose.arms[:, :, SPREAD] += (np.deg2rad(16.0) * shifted + 0.12 * forward)[:, None]
        pose.arms[:, :, ELBOW] += np.deg2rad(25.0) * shifted[:, None]
        return pose

    def phrases(self, parameters: KickParameters, words: Words) -> tuple[str, ...]:
        """Leg with height or count."""
        side, height = parameters.side, parameters.height
        times = words.times(parameters.count)
        limb = words.pick("leg", "foot")
        kicks = words.count(parameters.count, f"{height} kick")
        where = {"low": "low", "high": words.pick("high", "high up")}[height]
        return (
            f"<kick> {where} with {{their}} {side} {limb} {times}",
            f"<kick> forward with the {side} {limb} {times}",
            f"<kick> {times} with {{their}} {side} {limb}",
            f"<do> {kicks} with {{their}} {side} {limb}",
            f"<swing> {{their}} {side} leg forward in {kicks}",
            f"<kick> {{their}} {side} {limb} {where} in front {times}",
            f"<make> {kicks} using the {side} {limb}",
        )
