"""A wrong mapping of joints."""

import numpy as np

from evaluation.perturbations.base import RealClip, perturbation
from evaluation.perturbations.sides import swapped_sides


@perturbation()
def left_and_right_swapped(clip: RealClip, rng: np.random.Generator) -> np.ndarray:
    """Each left joint under its right twin's name and back, as a wrong mapping of joints does.

    Unlike the mirror image this is no human body: its front is where its back was, so that knees
    bend the wrong way and who walked ahead walks backward.
    """
    return swapped_sides(clip.joints, clip.skeleton)
