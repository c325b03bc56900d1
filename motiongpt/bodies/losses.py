"""What a fit makes small: SMPLify's terms for joints in space, as joints2smpl weighs them.

Bogo et al. 2016 (SMPLify, arXiv:1607.08128), and joints2smpl's `body_fitting_loss_3d`
(github.com/wangsen1312/joints2smpl, Zuo et al.): a Geman-McClure error of the joints, a prior of
the pose, one of the bend of knees and elbows, one of the shape, and staying near where the fit
began. Two terms differ. SMPLify's prior of the pose is a mixture of Gaussians whose file is given
to registered users only; here it is one Gaussian about the rest pose, 1 radian wide. And clips are
fitted as wholes: changes from frame to frame are kept small.
Component-first tensors: 3 or 4, J joints or the 17 of `tree.TURNING`, N frames of all clips; C
clips, S numbers of a shape.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from motiongpt.bodies.tree import HINGES, TURNING


@dataclass(frozen=True)
class Weights:
    """Of the terms; each is squared before use, as in joints2smpl, which gives the first five.

    Attributes:
        joints: of the distance in metres.
        pose: of each joint's rotation from rest in radians.
        bend: of knees and elbows that bend the wrong way.
        shape: of the shape's numbers, a frame.
        start: of each joint's rotation from where the fit began, in radians.
        smooth: of each joint's change from frame to frame in radians; ours.
        sigma: metres beyond which a joint's distance counts less and less.
    """

    joints: float = 500.0
    pose: float = 4.78 * 1.5
    bend: float = 15.2
    shape: float = 5.0
    start: float = 5.0
    smooth: float = 15.0
    sigma: float = 100.0


def joint_loss(found: Tensor, wanted: Tensor, weights: Weights) -> Tensor:
    """Geman and McClure's error of joints (3, J, N), summed over all clips."""
    square, sigma = (found - wanted).square(), weights.sigma**2
    return weights.joints**2 * (sigma * square / (sigma + square)).sum()


def pose_loss(local: Tensor, weights: Weights) -> Tensor:
    """Of unit quaternions (4, 17, N) within the parent, the root's first, which is free.

    4 sin²(angle / 2), the angle's square where it is small.
    """
    return weights.pose**2 * 4 * local[1:, 1:].square().sum()


def bend_loss(local: Tensor, axes: Tensor, bends: Tensor, weights: Weights) -> Tensor:
    """SMPLify's exponential of knees and elbows that are bent backwards.

    Args:
        axes: (4, 3) of the hinges; bends: (4,) radians of the rest pose.
    """
    hinges = local[:, [TURNING.index(hinge.middle) for hinge in HINGES]]
    along = torch.einsum("dhn,hd->hn", hinges[1:], axes)
    angles = 2 * torch.atan2(along, hinges[0].abs().clamp_min(1e-6)) * hinges[0].sign()
    return weights.bend**2 * (-2 * (angles + bends[:, None])).exp().sum()


def shape_loss(shape: Tensor, frames: Tensor, weights: Weights) -> Tensor:
    """Of shapes (C, S) of clips with `frames` (C,)."""
    return weights.shape**2 * (frames[:, None] * shape.square()).sum()


def start_loss(increments: Tensor, weights: Weights) -> Tensor:
    """Of unit quaternions (4, 17, N) since the start."""
    return weights.start**2 * 4 * increments[1:].square().sum()


def smooth_loss(local: Tensor, same_clip: Tensor, weights: Weights) -> Tensor:
    """Of unit quaternions (4, 17, N) within the parent.

    Args:
        same_clip: (N-1,) 1 where a frame and its next are of one clip, else 0.
    """
    alike = (local[..., 1:] * local[..., :-1]).sum(0).square()
    return weights.smooth**2 * 4 * ((1 - alike) * same_clip).sum()
