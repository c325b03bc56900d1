"""Sums over all training processes, so that 1 and 8 give the same model.

Every function is one that all processes must call together; alone, each is free of charge.
"""

import contextlib
import gc
from collections.abc import Iterator

import torch
import torch.distributed as dist
import torch.nn.functional as F
from torch import Tensor


def several_processes() -> bool:
    """Whether torch.distributed runs with more than one process."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


@contextlib.contextmanager
def process_group_ended() -> Iterator[None]:
    """After the block this process belongs to no process group, whoever made it.

    The last thing a process does. gloo's threads let go of tensors after the answer has been seen;
    one that does so while the interpreter closes aborts the process, whose work is done, and a
    scheduler then cancels what waits for it. Lightning ends groups of NCCL only.
    """
    try:
        yield
    finally:
        if dist.is_available() and dist.is_initialized():
            dist.destroy_process_group()
            gc.collect()  # a trainer and its module hold each other, and the group's threads


def sum_over_processes(values: Tensor) -> Tensor:
    """The sum of every process's `values`; the same on all of them."""
    if not several_processes():
        return values
    total = values.clone()
    dist.all_reduce(total)
    return total


def first_rows(vectors: Tensor, limit: int) -> Tensor:
    """The first `limit` rows of all processes' vectors (N, D), one process after the other.

    With the batches of `StepBatchSampler` these are the first rows of the global batch.
    """
    rows = vectors[:limit]
    if not several_processes():
        return rows
    world = dist.get_world_size()
    count = torch.tensor([len(rows)], device=rows.device)
    counts = [torch.empty_like(count) for _ in range(world)]
    dist.all_gather(counts, count)
    padded = F.pad(rows, (0, 0, 0, limit - len(rows))).contiguous()
    gathered = [torch.empty_like(padded) for _ in range(world)]
    dist.all_gather(gathered, padded)
    return torch.cat([g[: int(n)] for g, n in zip(gathered, counts, strict=True)])[:limit]


def from_first_process(values: Tensor) -> Tensor:
    """The first process's `values`, on all of them."""
    if several_processes():
        dist.broadcast(values, src=0)
    return values
