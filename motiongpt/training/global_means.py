"""Means over all processes' valid frames or tokens.

A mean of the processes' means is another number: it gives a frame more weight where a process has
few of them.
"""

from collections.abc import Mapping, Sequence

import torch
import torch.distributed as dist
from torch import Tensor

from motiongpt.distributed import several_processes, sum_over_processes


def over_global_batch(
    means: Mapping[str, Tensor], count: Tensor | int
) -> tuple[dict[str, Tensor], Tensor | float]:
    """Means over a whole step's batch, from those over this process's part of it.

    Args:
        means: name -> scalar, each a mean over the same `count` items.
        count: valid frames or tokens of this process's part, at least 1.

    Returns:
        The means over all processes' items, detached; and the weight that this process's loss
        needs. DDP averages gradients over the processes, so that with this weight the average is
        the gradient of the mean over all items. Several processes exchange one small tensor.
    """
    if not several_processes():
        return {name: value.detach() for name, value in means.items()}, 1.0
    values = torch.stack([value.detach().float() for value in means.values()])
    sums = sum_over_processes(torch.cat((values, values.new_ones(1))) * count)
    weight = dist.get_world_size() * count / sums[-1]
    return dict(zip(means, sums[:-1] / sums[-1], strict=True)), weight


def weights_of_parts(
    counts: Sequence[int], device: torch.device
) -> tuple[list[Tensor | float], list[Tensor | float]]:
    """What the parts of a step's batch weigh, where each has a mean over its own labels.

    Args:
        counts: labels of each part of this process's batch, at least 1 in all.

    Returns:
        For each part, what its loss is multiplied by, so that the sum of the gradients, averaged
        over the processes as DDP does, is the gradient of the mean over all labels of all of them;
        and its share of that mean. Several processes exchange one number.
    """
    if not several_processes():
        total = sum(counts)
        return [count / total for count in counts], [count / total for count in counts]
    everywhere = sum_over_processes(torch.full((), float(sum(counts)), device=device))
    shares = [count / everywhere for count in counts]
    return [dist.get_world_size() * share for share in shares], list(shares)


class RunningMeans:
    """Weighted means of named numbers over the batches of a validation, on all processes.

    A process may have fewer batches than another, or none: the names are known beforehand and
    nothing is exchanged before `over_processes`.

    Args:
        names: of the numbers.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._sums = torch.zeros(len(self.names) + 1)

    def start(self, device: torch.device) -> None:
        """Forget everything; count on `device` from now on."""
        self._sums = torch.zeros(len(self.names) + 1, device=device)

    def add(self, values: Mapping[str, Tensor], weight: int) -> None:
        """Add a batch: the means over its `weight` frames or tokens, one for each name."""
        found = torch.stack([values[name].detach().float() for name in self.names])
        self._sums = self._sums + torch.cat((found, found.new_ones(1))) * weight

    def over_processes(self) -> dict[str, Tensor]:
        """Name -> mean over all batches of all processes; the same on each of them."""
        sums = sum_over_processes(self._sums)
        return dict(zip(self.names, sums[:-1] / sums[-1], strict=True))
