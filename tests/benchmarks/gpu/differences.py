"""How far apart two calculations of the same thing are."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn


def relative(found: float, expected: float) -> float:
    """|found - expected| over |expected|; NaN where either is."""
    return abs(found - expected) / max(abs(expected), 1e-12)


def gradients(module: nn.Module) -> dict[str, Tensor]:
    """Gradients by name, float64 on the CPU; of a weight that got none there is none."""
    return {
        name: weight.grad.detach().double().cpu()
        for name, weight in module.named_parameters()
        if weight.grad is not None
    }


def gradient_distance(found: dict[str, Tensor], expected: dict[str, Tensor]) -> float:
    """Norm of the difference of all gradients over the norm of the expected ones.

    Raises:
        ValueError: they are of other weights.
    """
    if found.keys() != expected.keys():
        raise ValueError(f"gradients of other weights: {sorted(found.keys() ^ expected.keys())}")
    apart = _norm(found[name] - expected[name] for name in expected)
    return apart / max(_norm(expected.values()), 1e-30)


def _norm(tensors: Iterable[Tensor]) -> float:
    return float(torch.stack([tensor.square().sum() for tensor in tensors]).sum().sqrt())
