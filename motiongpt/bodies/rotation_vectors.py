"""Rotation vectors (radians along the axis) to matrices and from quaternions, differentiable.

Rodrigues' formula, with its series where the angle is nothing. Any leading dimensions.
"""

import torch
from torch import Tensor

_SMALL = 1e-4  # radians; below it a series is exact in float32


def matrices_of(vectors: Tensor) -> Tensor:
    """(…, 3, 3) of rotation vectors (…, 3)."""
    square = vectors.square().sum(-1)[..., None, None]
    small = square < _SMALL**2
    angle = torch.where(small, torch.ones_like(square), square).sqrt()
    first = torch.where(small, 1 - square / 6, angle.sin() / angle)
    second = torch.where(small, 0.5 - square / 24, (1 - angle.cos()) / angle.square())
    x, y, z = vectors.unbind(-1)
    none = torch.zeros_like(x)
    skew = torch.stack([none, -z, y, z, none, -x, -y, x, none], dim=-1).unflatten(-1, (3, 3))
    return torch.eye(3).to(vectors) + first * skew + second * (skew @ skew)


def vectors_of(quaternions: Tensor) -> Tensor:
    """(…, 3) of unit quaternions (…, 4), w first; angles of 0 to pi."""
    shorter = torch.where(quaternions[..., :1] < 0, -quaternions, quaternions)
    w, axis = shorter[..., :1], shorter[..., 1:]
    sine = axis.norm(dim=-1, keepdim=True)
    factor = torch.where(
        sine < _SMALL, 2 / w.clamp_min(0.5), 2 * torch.atan2(sine, w) / sine.clamp_min(_SMALL)
    )
    return axis * factor
