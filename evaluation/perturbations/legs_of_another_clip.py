"""Two clips in one body."""

import numpy as np
import torch

from evaluation.perturbations.base import RealClip, perturbation
from motiongpt.errors import UserError
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.skeleton import Skeleton


@perturbation()
def legs_of_another_clip(clip: RealClip, rng: np.random.Generator) -> np.ndarray:
    """The legs of another clip, and the height at which they carry the pelvis, under this one's
    upper body, path and heading.

    Where the other clip is shorter, it runs back and forth.

    Raises:
        UserError: there is no other clip.
    """
    if clip.other is None:
        raise UserError("legs_of_another_clip needs two clips; evaluate more, or leave it out")
    mine, theirs = clip.features.copy(), clip.other.features
    theirs = theirs[_back_and_forth(len(mine), len(theirs))]
    joints = clip.skeleton.n_joints
    # Positions in features are relative to the root's heading, their heights to the floor.
    body = mine[:, 4 : 4 + 3 * (joints - 1)].reshape(len(mine), -1, 3)
    legs = theirs[:, 4 : 4 + 3 * (joints - 1)].reshape(len(mine), -1, 3)
    body[..., 1] += (theirs[:, 3] - mine[:, 3])[:, None]
    of_legs = leg_joints(clip.skeleton) - 1
    body[:, of_legs] = legs[:, of_legs]
    mine[:, 4 : 4 + 3 * (joints - 1)] = body.reshape(len(mine), -1)
    mine[:, 3] = theirs[:, 3]
    return features_to_joints(torch.from_numpy(mine), clip.skeleton).numpy()


def leg_joints(skeleton: Skeleton) -> np.ndarray:
    """Indices of all joints of both legs, hips too."""
    feet = {*skeleton.feet_left, *skeleton.feet_right}
    return np.array(
        sorted({one for chain in skeleton.chains if feet & {*chain} for one in chain[1:]})
    )


def _back_and_forth(frames: int, there: int) -> np.ndarray:
    """Indices (frames,) that run to the end of `there` frames, back, and so on."""
    position = np.arange(frames) % max(1, 2 * there - 2)
    return np.where(position < there, position, 2 * there - 2 - position)
