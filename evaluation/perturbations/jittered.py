"""Noise on every joint."""

import numpy as np

from evaluation.perturbations.base import RealClip, perturbation

METRES = 0.005


@perturbation(drawn=True)
def jittered(clip: RealClip, rng: np.random.Generator) -> np.ndarray:
    """Each joint moved by 5 mm in each direction (standard deviation), anew in each frame.

    At 20 frames per second this is a jerk of about 300 m/s³, three times that of motion which a
    small VQ-VAE decodes; what is shown stays plain to see.
    """
    return clip.joints + rng.normal(0, METRES, clip.joints.shape).astype(np.float32)
