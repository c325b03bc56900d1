"""Torch's random numbers of a step: another in each step and process, the same when resumed."""

from types import SimpleNamespace

import torch

from motiongpt.training.callbacks import SeedEachStep


def drawn(seed, step, rank):
    trainer = SimpleNamespace(global_step=step, global_rank=rank)
    SeedEachStep(seed).on_train_batch_start(trainer, None, None, 0)
    return tuple(torch.rand(4).tolist())


def test_each_step_process_and_seed_draws_its_own():
    found = [
        drawn(seed, step, rank) for seed in (1, 2) for step in (0, 1, 2, 1000) for rank in (0, 1)
    ]
    assert len(set(found)) == len(found)


def test_a_resumed_step_draws_what_it_drew():
    first = drawn(1, 7, 0)
    drawn(1, 8, 0)
    assert drawn(1, 7, 0) == first
