"""One pose, held."""

import numpy as np

from evaluation.perturbations.base import RealClip, perturbation


@perturbation()
def frozen(clip: RealClip, rng: np.random.Generator) -> np.ndarray:
    """The pose in the middle of the clip, held where it is for the clip's length."""
    middle = len(clip.joints) // 2
    return np.repeat(clip.joints[middle : middle + 1], len(clip.joints), axis=0)
