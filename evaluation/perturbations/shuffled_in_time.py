"""Real frames in a random order."""

import numpy as np

from evaluation.perturbations.base import RealClip, perturbation


@perturbation(gives="features", drawn=True)
def shuffled_in_time(clip: RealClip, rng: np.random.Generator) -> np.ndarray:
    """The clip's own frames in a random order: rows of its features, each with its velocities.

    Every frame stays a real one; only their order is lost. This is what tables have always called
    so; features of shuffled joints would have velocities that give the order away in each frame.
    """
    return rng.permutation(clip.features)
