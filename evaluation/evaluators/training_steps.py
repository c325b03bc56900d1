"""A plain loop of optimiser steps that says where it is and how long it still takes."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

SECONDS_BETWEEN_LINES = 10.0


@dataclass(frozen=True)
class Steps:
    """How long, in what portions and how fast a network is trained.

    Attributes:
        steps: optimiser steps.
        batch_size: examples a step.
        learning_rate: the largest; it rises over the first 10 % of the steps, then falls to zero
            along a cosine.
    """

    steps: int
    batch_size: int
    learning_rate: float


def train_steps(
    name: str,
    parameters: Sequence[nn.Parameter],
    loss: Callable[[], Tensor],
    steps: Steps,
    say: Callable[[str], None],
) -> None:
    """Take `steps.steps` steps of Adam on what `loss` returns; it draws a new batch each time."""
    optimizer = torch.optim.Adam(parameters, lr=steps.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, steps.learning_rate, total_steps=max(2, steps.steps), pct_start=0.1
    )
    begun = said = time.monotonic()
    for step in range(1, steps.steps + 1):
        value = loss()
        optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(parameters, 0.5)
        optimizer.step()
        schedule.step()
        now = time.monotonic()
        if now - said >= SECONDS_BETWEEN_LINES or step == steps.steps:
            left = (now - begun) / step * (steps.steps - step)
            say(
                f"  evaluator, {name}: step {step}/{steps.steps}  loss {value.item():.4f}  "
                f"{left:.0f} s left"
            )
            said = now
