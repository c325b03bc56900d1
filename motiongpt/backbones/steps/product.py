"""Multiplying with one weight again and again, laid out for it once.

On a CPU oneDNN otherwise rearranges the weight at each call: for a few dozen rows that takes as
long as multiplying (measured on AVX-512: 2.7 against 1.1 ms in float32, 0.80 against 0.56 ms in
bfloat16, 32 x 768 by 768 x 4096). torch has the operations for its own compiler, under private
names; the public path, taken where a build lacks one of them, is the plain product, which gives the
same up to rounding (tests/unit/test_single_steps.py takes both).
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

Product = Callable[[Tensor], Tensor]
# The layout is chosen for this many rows and serves any other number too.
ROWS = 32
PRIVATE = ("_reorder_linear_weight", "_linear_pointwise", "_is_mkldnn_bf16_supported")
"""torch's operations for its own compiler; without any of them the plain product is taken."""


def product(weight: Tensor, dtype: torch.dtype) -> Product:
    """Takes (B, inputs) of `dtype` to (B, outputs).

    Args:
        weight: (outputs, inputs).
    """
    weight = weight.detach().to(dtype)
    if weight.device.type != "cpu" or not _can_pack(dtype):
        return partial(functional.linear, weight=weight)
    packed = torch.ops.mkldnn._reorder_linear_weight(weight.contiguous(), ROWS)
    return partial(_packed_product, packed)


def _packed_product(packed: Tensor, rows: Tensor) -> Tensor:
    return torch.ops.mkldnn._linear_pointwise(rows, packed, None, "none", [], "")


def _can_pack(dtype: torch.dtype) -> bool:
    """Whether this build of torch and this CPU have the operations for `dtype`."""
    if not torch.backends.mkldnn.is_available() or not torch.backends.mkldnn.enabled:
        return False
    if not all(hasattr(torch.ops.mkldnn, name) for name in PRIVATE):
        return False
    return dtype == torch.float32 or torch.ops.mkldnn._is_mkldnn_bf16_supported()
