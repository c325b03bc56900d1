"""Real clips for tests of perturbations: synthetic people who walk, wave and kick."""

import numpy as np
import torch

from evaluation.perturbations.base import RealClip
from motiongpt.data.synthetic.source import SyntheticSource
from motiongpt.motion.features import joints_to_features
from motiongpt.motion.skeleton import HUMANML3D

LEFT_WRIST, RIGHT_WRIST = 20, 21


def clip_of(action, index=0, other=None):
    """The features of one synthetic clip."""
    joints = SyntheticSource(clips=index + 1, seed=3, actions=[action]).scene(index).joints
    features = joints_to_features(torch.from_numpy(np.asarray(joints, np.float32)), HUMANML3D)
    return RealClip(features.numpy(), HUMANML3D, 20.0, other)
