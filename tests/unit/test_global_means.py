"""Means over the batch of all processes; imports little, because the processes import it too."""

import torch
import torch.distributed as dist

from motiongpt.training.global_means import RunningMeans, over_global_batch
from tests.together import start_processes

VALUES = torch.tensor([3.0, -1.0, 2.0, 8.0, 0.5])
SHARES = (slice(0, 1), slice(1, 5))  # of two processes


def test_alone_a_mean_stays_as_it_is():
    loss = torch.tensor(0.1, requires_grad=True)
    shown, weight = over_global_batch({"loss": loss}, 7)
    assert shown["loss"].item() == loss.item() and not shown["loss"].requires_grad
    assert weight == 1.0


def _mean_of_one_process(rank, folder):
    dist.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=2)
    values = VALUES[SHARES[rank]]
    scale = torch.tensor(1.0, requires_grad=True)
    loss = (scale * values).square().mean()
    shown, weight = over_global_batch({"loss": loss, "twice": 2 * loss}, torch.tensor(len(values)))
    (weight * loss).backward()
    gradient = scale.grad.clone()
    dist.all_reduce(gradient)  # as DDP does
    running, none = RunningMeans(("value",)), RunningMeans(("value",))
    for means in (running, none):
        means.start(torch.device("cpu"))
    running.add({"value": values.mean()}, len(values))
    if rank == 0:
        none.add({"value": values.mean()}, len(values))
    torch.save(
        {
            **shown,
            "gradient": gradient / 2,
            "running": running.over_processes()["value"],
            "first": none.over_processes()["value"],
        },
        f"{folder}/{rank}.pt",
    )
    dist.destroy_process_group()


def test_uneven_shares_give_the_means_and_the_gradient_of_the_whole(tmp_path):
    start_processes(_mean_of_one_process, (str(tmp_path),), 2, join=True)
    mean = VALUES.square().mean()
    expected = {
        "loss": mean,
        "twice": 2 * mean,
        "gradient": 2 * mean,
        "running": VALUES.mean(),
        "first": VALUES[SHARES[0]].mean(),
    }
    for rank in (0, 1):
        found = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        torch.testing.assert_close(found, expected)
