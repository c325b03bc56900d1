"""Learning-rate schedules over a known number of steps."""

import math
from bisect import bisect_right
from collections.abc import Sequence

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


def constant(optimizer: Optimizer, steps: int, warmup_steps: int = 0) -> LambdaLR:
    """Linear warm-up over `warmup_steps`, then the optimizer's own rate; `steps` plays no part."""
    return LambdaLR(optimizer, lambda step: _warm(step, warmup_steps))


def cosine(optimizer: Optimizer, steps: int, warmup_steps: int = 0, final: float = 0.0) -> LambdaLR:
    """Linear warm-up, then half a cosine from the optimizer's rate to `final` of it at `steps`."""

    def factor(step: int) -> float:
        done = min(1.0, max(0.0, (step - warmup_steps) / max(1, steps - warmup_steps)))
        return _warm(step, warmup_steps) * (
            final + (1 - final) * 0.5 * (1 + math.cos(math.pi * done))
        )

    return LambdaLR(optimizer, factor)


def milestones(
    optimizer: Optimizer,
    steps: int,
    milestones: Sequence[int],
    gamma: float = 0.05,
    warmup_steps: int = 0,
) -> LambdaLR:
    """Linear warm-up, then the optimizer's rate, multiplied by `gamma` after each milestone.

    Args:
        steps: play no part.
        milestones: numbers of steps that are done before the rate falls, as T2M-GPT's training
            counts them (arXiv:2301.06052, section 4.1, as is `gamma`).
    """
    passed = sorted(milestones)

    def factor(step: int) -> float:
        return _warm(step, warmup_steps) * gamma ** bisect_right(passed, step)

    return LambdaLR(optimizer, factor)


def _warm(step: int, warmup_steps: int) -> float:
    return min(1.0, (step + 1) / warmup_steps) if warmup_steps else 1.0
