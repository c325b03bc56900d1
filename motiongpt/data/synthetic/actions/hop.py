"""Hopping on one leg."""

from dataclasses import dataclass

import numpy as np

from motiongpt.data.synthetic.action import SIDES, Action, one_of
from motiongpt.data.synthetic.curves import clock, hold
from motiongpt.data.synthetic.flight import Flights
from motiongpt.data.synthetic.gait import lean
from motiongpt.data.synthetic.performer import Performer
from motiongpt.data.synthetic.pose import ELBOW, FLEX, SIDE, SPREAD, Pose, outward, standing
from motiongpt.data.synthetic.words import Words

REST = 0.3
SHIFT = 0.5  # seconds to lift the free foot, and to put it down


@dataclass(frozen=True)
class HopParameters:
    """`count` hops of `height` metres on the leg of `side`."""

    side: str
    count: int
    height: float


class Hop(Action[HopParameters]):
    """Parameters told: leg, number of hops."""

    name = "hop"
    words = (r"\bhop(?:s|ping)?\b",)

    def draw(self, rng: np.random.Generator) -> HopParameters:
        """Draw parameters."""
        return HopParameters(one_of(rng, SIDES), int(rng.integers(2, 6)), rng.uniform(0.10, 0.13))

    def perform(
        self, parameters: HopParameters, performer: Performer, rng: np.random.Generator
    ) -> Pose:
        """The free foot is held behind; arms spread for balance."""
        side = SIDES.index(parameters.side)
        free, sign = 1 - side, outward(side)
        flights = Flights(REST + 0.7 * SHIFT, parameters.count, parameters.height, 0.09)
        time = clock(flights.end + 0.7 * SHIFT + REST)
        pose = standing(len(time), performer)
        end = time[-1] - REST
        raised = hold(time, REST, REST + SHIFT, end - SHIFT, end)
        shifted = hold(time, REST - 0.2, REST + 0.7 * SHIFT, end - 0.7 * SHIFT, end + 0.2)
        height, lift = flights.pelvis(time), flights.lift(time)
        pose.pelvis[:, 1] += height
        pose.pelvis[:, 0] += 0.9 * sign * performer.half_stance * shifted
        pose.feet[:, side, 1] += lift
        pose.foot_pitch[:, side] += flights.heels(time)
        pose.feet[:, free, 1] += 0.28 * raised + height * raised**2
        pose.feet[:, free, 2] -= 0.30 * raised
        pose.foot_pitch[:, free] += np.deg2rad(50.0) * raised
        pose.hips[:, SIDE] += np.deg2rad(4.0) * sign * raised
        lean(pose, np.deg2rad(8.0) * raised + np.deg2rad(10.0) * flights.dipped(time))
        pose.arms[:, :, SPREAD] += np.deg2rad(28.0) * (performer.vigour * raised)[:, None]
        pose.arms[:, :, SPREAD] += np.deg2rad(12.0) * flights.airborne(time)[:, None]
        pose.arms[:, :, ELBOW] += np.deg2rad(35.0) * raised[:, None]
        pose.arms[:, :, FLEX] += np.deg2rad(12.0) * raised[:, None]
        return pose

    def phrases(self, parameters: HopParameters, words: Words) -> tuple[str, ...]:
        """Leg and count."""
        times, side = words.times(parameters.count), parameters.side
        other = SIDES[1 - SIDES.index(side)]
        limb = words.pick("leg", "foot")
        return (
            f"<hop> on {{their}} {side} {limb} {times}",
            f"<hop> {times} on the {side} {limb}",
            f"<hop> in place on {{their}} {side} {limb}",
            f"<do> {words.count(parameters.count, 'hop')} on {{their}} {side} {limb}",
            f"<hop> up and down on the {side} leg {times}",
            f"<hold> {{their}} {other} foot behind and <hop> {times} on the {side} one",
            f"<balance> on {{their}} {side} leg and <hop> {times}",
        )
