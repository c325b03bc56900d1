"""Jumping up and down on the spot."""

from dataclasses import dataclass

import numpy as np

from motiongpt.data.synthetic.action import Action, one_of
from motiongpt.data.synthetic.curves import clock, smooth
from motiongpt.data.synthetic.flight import Flights
from motiongpt.data.synthetic.gait import lean
from motiongpt.data.synthetic.performer import Performer
from motiongpt.data.synthetic.pose import ELBOW, FLEX, SPREAD, Pose, standing
from motiongpt.data.synthetic.words import Words

HEIGHTS = {"low": (0.13, 0.16), "normal": (0.21, 0.26), "high": (0.33, 0.40)}
DIPS = {"low": 0.15, "normal": 0.22, "high": 0.30}
ARMS = {"low": 35.0, "normal": 70.0, "high": 120.0}  # degrees forward during the flight
REST = 0.3
ARM_SMOOTHING = 0.08  # seconds; arms are slower than legs


@dataclass(frozen=True)
class JumpParameters:
    """`count` jumps of `metres` each, which is what `height` means."""

    height: str
    metres: float
    count: int


class Jump(Action[JumpParameters]):
    """Parameters told: number of jumps, height."""

    name = "jump"
    words = (r"(?<!forward )(?<!long )\bjump(?:s|ing)?\b(?! forward| ahead)",)

    def draw(self, rng: np.random.Generator) -> JumpParameters:
        """Draw parameters."""
        height = one_of(rng, tuple(HEIGHTS))
        return JumpParameters(height, rng.uniform(*HEIGHTS[height]), int(rng.integers(1, 4)))

    def perform(
        self, parameters: JumpParameters, performer: Performer, rng: np.random.Generator
    ) -> Pose:
        """Bent knees, arms back, push off, arms up, land softly."""
        flights = Flights(REST, parameters.count, parameters.metres, DIPS[parameters.height])
        time = clock(max(flights.end + REST, 2.1))
        pose = standing(len(time), performer)
        dipped, airborne = flights.dipped(time), flights.airborne(time)
        pose.pelvis[:, 1] += flights.pelvis(time)
        pose.pelvis[:, 2] -= 0.35 * flights.dip * dipped
        pose.feet[:, :, 1] += flights.lift(time)[:, None]
        pose.foot_pitch += flights.heels(time)[:, None]
        lean(pose, 1.9 * flights.dip * dipped)
        back = np.deg2rad(30.0) * dipped * performer.vigour
        up = np.deg2rad(ARMS[parameters.height]) * airborne
        pose.arms[:, :, FLEX] += smooth(up - back, ARM_SMOOTHING)[:, None]
        pose.arms[:, :, ELBOW] += np.deg2rad(20.0) * (dipped + airborne)[:, None]
        pose.arms[:, :, SPREAD] += np.deg2rad(8.0) * airborne[:, None]
        return pose

    def phrases(self, parameters: JumpParameters, words: Words) -> tuple[str, ...]:
        """Count and height."""
        times = words.times(parameters.count)
        kind = {"low": "small", "normal": "", "high": words.pick("high", "big")}[parameters.height]
        how = {"low": "a little", "normal": "", "high": "high"}[parameters.height]
        jumps = words.count(parameters.count, f"{kind} jump".strip())
        where = words.pick("on the spot", "in place")
        return (
            f"<jump> up {how} {times}",
            f"<jump> {how} {where} {times}",
            f"<jump> {how} into the air {times}",
            f"<do> {jumps} {where}",
            f"<make> {jumps} with both feet",
            f"<bend> {{their}} knees and <jump> {how} {times}",
            f"<jump> up and down {how} {where}, {times}",
        )
