"""Batch normalisation over the whole step's batch, on any device and any number of processes."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

from motiongpt.distributed import several_processes, sum_over_processes
from motiongpt.errors import UserError


class GlobalBatchNorm(nn.BatchNorm1d):
    """`nn.BatchNorm1d` whose statistics are those of all processes' rows together.

    (`nn.SyncBatchNorm` does the same on GPUs only.) Rows are (B, C).
    """

    def forward(self, values: Tensor) -> Tensor:
        """Normalise (B, C).

        Raises:
            UserError: training on one clip, which has no variance.
        """
        if not self.training:
            return super().forward(values)
        if not several_processes():
            if len(values) < 2:
                raise UserError(
                    "batch normalisation needs two clips or more in a training step; raise the "
                    "stage's schedule.batch_size"
                )
            return super().forward(values)
        return self._over_processes(values.float()).to(values.dtype)

    def _over_processes(self, values: Tensor) -> Tensor:
        n_rows = len(values) * dist.get_world_size()  # a step's batch is shared evenly
        mean = _Sum.apply(values.sum(0)) / n_rows
        centred = values - mean
        variance = _Sum.apply(centred.square().sum(0)) / n_rows
        self._keep(mean.detach(), variance.detach() * n_rows / (n_rows - 1))
        return centred * torch.rsqrt(variance + self.eps) * self.weight + self.bias

    @torch.no_grad()
    def _keep(self, mean: Tensor, variance: Tensor) -> None:
        """Move the stored statistics towards the batch's; the variance is the unbiased one."""
        assert self.running_mean is not None and self.running_var is not None
        assert self.num_batches_tracked is not None and self.momentum is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        self.num_batches_tracked += 1


class _Sum(torch.autograd.Function):
    """Sum over the processes; its gradient is the sum of what all of them make of it."""

    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        return sum_over_processes(values)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return sum_over_processes(gradients[0].contiguous())
