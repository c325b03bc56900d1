"""What our sides of the training parts share."""

from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext

import torch

from evaluation.speed import original_way


def optimizer_of(parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
    """The original's AdamW with its numbers, all weights in one operation."""
    return torch.optim.AdamW(
        parameters,
        lr=original_way.LEARNING_RATE,
        betas=original_way.BETAS,
        weight_decay=0.0,
        fused=True,
    )


def precision(device: str, dtype: str) -> AbstractContextManager:
    """Autocast to `dtype`, "float32" or "bfloat16"."""
    if dtype == "float32":
        return nullcontext()
    return torch.autocast(device, dtype=torch.bfloat16)
