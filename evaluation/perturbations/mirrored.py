"""The mirror image."""

import numpy as np

from evaluation.perturbations.base import RealClip, perturbation
from evaluation.perturbations.sides import swapped_sides


@perturbation()
def mirrored(clip: RealClip, rng: np.random.Generator) -> np.ndarray:
    """The mirror image: left and right change places, turns too; the captions stay.

    A motion as real as before. Only captions that name a side become wrong.
    """
    image = swapped_sides(clip.joints, clip.skeleton).copy()
    image[..., 0] *= -1
    return image
