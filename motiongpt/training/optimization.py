"""Optimizer and schedule of a stage, from what its yaml says."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig
from torch import nn
from torch.optim import Optimizer

from motiongpt.errors import UserError

MakeOptimizer = Callable[[Iterable[nn.Parameter]], Optimizer]
MakeScheduler = Callable[[Optimizer], Any]


def make_optimization(
    optimizer: DictConfig, scheduler: DictConfig, learning_rate: float, steps: int
) -> tuple[MakeOptimizer, MakeScheduler]:
    """Bind what only the stage knows: the learning rate and the number of steps.

    Args:
        optimizer: a `_partial_` node of conf/optimizer.
        scheduler: a `_partial_` node of conf/scheduler.

    Raises:
        UserError: a learning rate of 0 or less.
    """
    if not learning_rate > 0:
        raise UserError(f"learning_rate is {learning_rate}; a number above 0 is needed")
    return (
        partial(instantiate(optimizer), lr=learning_rate),
        partial(instantiate(scheduler), steps=steps),
    )
