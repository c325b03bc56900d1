"""The last frame first."""

import numpy as np

from evaluation.perturbations.base import RealClip, perturbation


@perturbation()
def reversed_in_time(clip: RealClip, rng: np.random.Generator) -> np.ndarray:
    """The last frame first: who walked ahead walks backward, who sat down gets up.

    What is the same forward and backward, as a wave, stays what it is.
    """
    return clip.joints[::-1]
