"""Padding that a convolution can't see: what lies beyond a clip's end is zero at every layer."""

import torch
from torch import Tensor


def length_mask(lengths: Tensor | None, size: int) -> Tensor | None:
    """True where a clip has content.

    Args:
        lengths: (B,) valid positions of each clip, or None when all clips fill the batch.
        size: positions T of the padded batch.

    Returns:
        (B, T) bool, or None when `lengths` is None.
    """
    if lengths is None:
        return None
    return torch.arange(size, device=lengths.device)[None] < lengths[:, None]


def content_positions(lengths: Tensor, size: int) -> Tensor:
    """Where clips of `lengths` (B,) have content: (N,) int64 indices in the flattened (B, size)."""
    mask = torch.arange(size, device=lengths.device)[None] < lengths[:, None]
    return mask.flatten().nonzero()[:, 0]


def masked(values: Tensor, mask: Tensor | None) -> Tensor:
    """`values` (B, D, T) with zeros where `mask` (B, T) is False; NaN in the padding goes too."""
    if mask is None:
        return values
    return values.masked_fill(~mask[:, None], 0.0)
