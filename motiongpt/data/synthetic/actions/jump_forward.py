"""Jumping forward with both feet."""

from dataclasses import dataclass

import numpy as np

from motiongpt.data.synthetic.action import Action
from motiongpt.data.synthetic.curves import clock, glide, hermite, smooth
from motiongpt.data.synthetic.flight import DOWN, Flights
from motiongpt.data.synthetic.gait import lean
from motiongpt.data.synthetic.performer import Performer
from motiongpt.data.synthetic.pose import ELBOW, FLEX, Pose, standing
from motiongpt.data.synthetic.words import Words

REST = 0.35
ARM_SMOOTHING = 0.08  # seconds; arms are slower than legs
AHEAD, BEHIND = 0.15, 0.14  # metres of the pelvis before its feet at take-off, behind at landing


@dataclass(frozen=True)
class JumpForwardParameters:
    """`count` jumps, each `length` metres far."""

    length: float
    count: int

    @property
    def distance(self) -> float:
        """Metres travelled."""
        return self.length * self.count


class JumpForward(Action[JumpForwardParameters]):
    """Parameters told: number of jumps, distance."""

    name = "jump_forward"
    words = (
        r"\bjump(?:s|ing)? (?:forward|ahead)\b",
        r"\b(?:long|forward) jumps?\b",
        r"\bleap(?:s|ing)?\b",
    )

    def draw(self, rng: np.random.Generator) -> JumpForwardParameters:
        """Draw parameters."""
        return JumpForwardParameters(rng.uniform(0.55, 1.25), int(rng.integers(1, 4)))

    def perform(
        self, parameters: JumpForwardParameters, performer: Performer, rng: np.random.Generator
    ) -> Pose:
        """Arms back, push off forward, feet ahead of the body for landing."""
        length = parameters.length
        flights = Flights(REST, parameters.count, 0.14 + 0.1 * length, 0.24)
        time = clock(max(flights.end + REST, 2.1))
        pose = standing(len(time), performer)
        dipped, airborne = flights.dipped(time), flights.airborne(time)
        travel = sum(
            (glide(time, at, at + flights.air) for at in flights.takeoffs), np.zeros(len(time))
        )
        pose.pelvis[:, 1] += flights.pelvis(time)
        pose.pelvis[:, 2] += _carried(time, flights, length)
        pose.feet[:, :, 1] += flights.lift(time)[:, None]
        pose.feet[:, :, 2] += length * travel[:, None]
        pose.foot_pitch += flights.heels(time, landing=0.1)[:, None]
        lean(pose, np.deg2rad(30.0) * dipped + np.deg2rad(8.0) * airborne)
        back, up = np.deg2rad(35.0) * performer.vigour * dipped, np.deg2rad(85.0) * airborne
        pose.arms[:, :, FLEX] += smooth(up - back, ARM_SMOOTHING)[:, None]
        pose.arms[:, :, ELBOW] += np.deg2rad(15.0) * (dipped + airborne)[:, None]
        return pose

    def phrases(self, parameters: JumpForwardParameters, words: Words) -> tuple[str, ...]:
        """Count and distance."""
        times = words.times(parameters.count)
        distance = words.metres(parameters.distance)
        several = parameters.count > 1
        return (
            f"<jump> forward {times}",
            f"<jump> forward {distance} in total" if several else f"<jump> forward {distance}",
            f"<leap> forward {times} with both feet",
            f"<jump> ahead {times}, covering {distance}",
            f"<do> {words.count(parameters.count, 'forward jump')}",
            f"<swing> {{their}} arms and <jump> forward {times} over {distance}",
        )


def _carried(time: np.ndarray, flights: Flights, length: float) -> np.ndarray:
    """(T,) metres that the pelvis has moved forward; its speed is constant in each flight."""
    speed = (length - AHEAD - BEHIND) / flights.air
    times, values, slopes = [flights.start, flights.start + DOWN], [0.0, -0.06], [0.0, 0.0]
    for index, takeoff in enumerate(flights.takeoffs):
        landing, here = takeoff + flights.air, index * length
        times += [takeoff, landing, landing + flights.push]
        values += [here + AHEAD, here + length - BEHIND, here + length - 0.04]
        slopes += [speed, speed, 0.0]
    total = flights.count * length
    return hermite(time, [*times, flights.end], [*values, total], [*slopes, 0.0])
