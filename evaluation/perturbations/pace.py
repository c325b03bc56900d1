"""The same motion in more or less time."""

import numpy as np

from evaluation.perturbations.base import RealClip, perturbation
from motiongpt.motion.resample import resample_positions

FACTOR = 1.5


@perturbation()
def slowed(clip: RealClip, rng: np.random.Generator) -> np.ndarray:
    """The motion at two thirds of its speed, so in half as many frames more.

    An evaluator that takes no longer clips sees the beginning.
    """
    return resample_positions(clip.joints, clip.fps, FACTOR * clip.fps)


@perturbation()
def sped_up(clip: RealClip, rng: np.random.Generator) -> np.ndarray:
    """The motion at one and a half times its speed, so in two thirds of the frames."""
    return resample_positions(clip.joints, clip.fps, clip.fps / FACTOR)
