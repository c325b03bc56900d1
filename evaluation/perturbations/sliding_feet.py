"""A body that glides over the floor."""

import numpy as np

from evaluation.perturbations.base import RealClip, perturbation

METRES_PER_SECOND = 0.3


@perturbation(drawn=True)
def sliding_feet(clip: RealClip, rng: np.random.Generator) -> np.ndarray:
    """The whole body glides at 0.3 m/s in a random horizontal direction; its poses stay.

    That is how fast feet slide in motion that is plainly generated.
    """
    angle = rng.uniform(0, 2 * np.pi)
    way = np.array([np.cos(angle), 0, np.sin(angle)], np.float32)
    seconds = np.arange(len(clip.joints), dtype=np.float32) / np.float32(clip.fps)
    return clip.joints + METRES_PER_SECOND * seconds[:, None, None] * way
