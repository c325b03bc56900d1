"""Learning rates over the steps of a training."""

import pytest
import torch

from motiongpt.training.schedulers import milestones


def rates(count, **settings):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
    schedule = milestones(optimizer, steps=count, **settings)
    found = []
    for _ in range(count):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return found


def test_the_rate_falls_after_each_milestone():
    found = rates(8, milestones=[5, 3], gamma=0.1)
    assert found == pytest.approx([2.0, 2.0, 2.0, 0.2, 0.2, 0.02, 0.02, 0.02])


def test_it_rises_first_where_asked():
    assert rates(4, milestones=[3], warmup_steps=2) == pytest.approx([1.0, 2.0, 2.0, 0.1])


def test_it_is_torch_s_own_schedule():
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=2.0)
    schedule = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 4], gamma=0.05)
    expected = []
    for _ in range(6):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    assert rates(6, milestones=[2, 4]) == pytest.approx(expected)
