"""One person's habits: what differs between two clips of the same caption."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Performer:
    """Angles in radians, lengths in metres; factors are around 1.

    Attributes:
        tempo: factor of every duration.
        vigour: factor of amplitudes such as the swing of the arms.
        half_stance: half the distance between the feet.
        toes_out: how far each foot points outward.
        arm_spread, arm_flex, arm_twist, elbow: the hanging arm (see `pose.ARM`).
        stoop: how far the back leans forward.
    """

    tempo: float
    vigour: float
    half_stance: float
    toes_out: float
    arm_spread: float
    arm_flex: float
    arm_twist: float
    elbow: float
    stoop: float


def draw_performer(rng: np.random.Generator) -> Performer:
    """Draw habits within what looks natural."""
    degrees = np.deg2rad
    return Performer(
        tempo=float(rng.uniform(0.92, 1.08)),
        vigour=float(rng.uniform(0.85, 1.15)),
        half_stance=float(rng.uniform(0.085, 0.115)),
        toes_out=float(degrees(rng.uniform(4.0, 12.0))),
        arm_spread=float(degrees(rng.uniform(8.0, 13.0))),
        arm_flex=float(degrees(rng.uniform(-3.0, 4.0))),
        arm_twist=float(degrees(rng.uniform(-35.0, -15.0))),
        elbow=float(degrees(rng.uniform(12.0, 22.0))),
        stoop=float(degrees(rng.uniform(0.0, 4.0))),
    )
