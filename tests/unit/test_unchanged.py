"""Weights that change are noticed, however they do, and others are not."""

import pytest
import torch
from torch import nn

from motiongpt.backbones.steps.unchanged import Unchanged


def step(layer):
    torch.optim.AdamW(layer.parameters()).zero_grad()
    layer(torch.ones(2, 3)).sum().backward()
    torch.optim.AdamW(layer.parameters()).step()


def replace(layer):
    layer.weight.data = layer.weight.detach().clone()


def add(layer):
    with torch.no_grad():
        layer.bias.add_(1)


def add_in_inference_mode(layer):
    with torch.inference_mode():
        layer.bias.add_(1)


@pytest.mark.parametrize(
    "change",
    [
        step,
        replace,
        add,
        add_in_inference_mode,
        lambda layer: layer.load_state_dict(nn.Linear(3, 4).state_dict()),
        lambda layer: layer.double(),
        lambda layer: nn.init.zeros_(layer.bias),
    ],
)
def test_a_change_is_noticed(change):
    layer = nn.Linear(3, 4)
    seen = Unchanged(layer.parameters())
    assert seen.holds_for(layer.parameters())
    change(layer)
    assert not seen.holds_for(layer.parameters())
    assert Unchanged(layer.parameters()).holds_for(layer.parameters())


def test_what_only_reads_is_no_change():
    layer = nn.Linear(3, 4)
    with torch.inference_mode():
        seen = Unchanged(layer.parameters())
    layer(torch.ones(2, 3)).sum().backward()
    layer.eval()
    layer.state_dict()
    with torch.no_grad():
        layer(torch.ones(2, 3))
    assert seen.holds_for(layer.parameters())
    assert layer.weight.grad is not None and layer.weight.requires_grad


def test_fewer_or_other_tensors_are_a_change():
    one, two = nn.Linear(3, 4), nn.Linear(3, 4)
    seen = Unchanged(one.parameters())
    assert not seen.holds_for(two.parameters()) and not seen.holds_for([one.weight])
