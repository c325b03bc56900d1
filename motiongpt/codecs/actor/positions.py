"""Sinusoids by position (Vaswani et al., arXiv:1706.03762, section 3.5)."""

import math

import torch
from torch import Tensor


def sinusoids(rows: int, width: int) -> Tensor:
    """(rows, width): sine in even columns, cosine in odd ones, 10000^(-2i / width) a position."""
    speed = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
    angle = torch.arange(rows)[:, None] * speed
    return torch.stack((angle.sin(), angle.cos()), dim=-1).flatten(1)
