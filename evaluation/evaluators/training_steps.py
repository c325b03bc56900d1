"""A plain loop of optimiser steps that says where it is and how long it still takes."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Adam, Optimizer

from motiongpt.training.finite import PlainWatch

SECONDS_BETWEEN_LINES = 10.0
LARGEST_GRADIENT = 0.5
"""Norm that longer gradients are cut to, T2M's."""
WARM_UP = 0.1
"""Share of the steps over which the learning rate rises."""


@dataclass(frozen=True)
class Steps:
    """How long, in what portions and how fast a network is trained.

    Attributes:
        steps: optimiser steps.
        batch_size: examples a step.
        learning_rate: the largest; see `rate`.
        optimizer: (parameters, lr=) -> optimizer: a node of conf/optimizer; None is Adam.
    """

    steps: int
    batch_size: int
    learning_rate: float
    optimizer: Callable[..., Optimizer] | None = None


def train_steps(
    name: str,
    parameters: Sequence[nn.Parameter],
    loss: Callable[[], Tensor],
    steps: Steps,
    log: Callable[[str], None],
) -> None:
    """Take `steps.steps` steps on what `loss` returns; it draws a new batch each time.

    Args:
        name: of the part, as its settings are called in conf/evaluator.

    Raises:
        UserError: the loss or a weight is not finite.
    """
    advice = (
        f"likely the learning rate ({steps.learning_rate:.3g}): set a smaller "
        f"evaluator.{name}.learning_rate; or the data: `motiongpt data verify` looks at them"
    )
    watch = PlainWatch(f"stage evaluator, {name}", steps.steps, advice)
    optimizer = (steps.optimizer or Adam)(parameters, lr=steps.learning_rate)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: rate(step, steps.steps))
    begun = said = time.monotonic()
    for step in range(1, steps.steps + 1):
        value = loss()
        optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(parameters, LARGEST_GRADIENT)
        optimizer.step()
        schedule.step()
        watch.see(step, value, parameters)
        now = time.monotonic()
        if now - said >= SECONDS_BETWEEN_LINES or step == steps.steps:
            left = (now - begun) / step * (steps.steps - step)
            log(
                f"  evaluator, {name}: step {step}/{steps.steps}  loss {value.item():.4f}  "
                f"{left:.0f} s left"
            )
            said = now


def rate(step: int, steps: int) -> float:
    """Share of the learning rate at a step from 0 on: a linear rise, then a cosine to zero."""
    rising = WARM_UP * steps
    if step < rising:
        return (step + 1) / (rising + 1)
    return 0.5 * (1 + math.cos(math.pi * (step - rising) / (steps - rising)))
