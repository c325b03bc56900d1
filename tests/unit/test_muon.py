"""The optimizer of Muon and AdamW together: who steps what, and going on from a checkpoint."""

import copy

import pytest
import torch
from torch import nn

from motiongpt.errors import UserError
from motiongpt.training.muon import MuonWithAdamW

TORCH_WITHOUT = not hasattr(torch.optim, "Muon")
needs_muon = pytest.mark.skipif(TORCH_WITHOUT, reason=f"torch {torch.__version__} has no Muon")


class Network(nn.Module):
    """A table, a filter, a matrix, a narrow matrix and vectors."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(600, 48)
        self.filter = nn.Conv1d(48, 64, 3)
        self.matrix = nn.Linear(64, 40)
        self.narrow = nn.Linear(40, 4)

    def forward(self, ids):
        x = self.filter(self.table(ids).transpose(1, 2)).transpose(1, 2)
        return self.narrow(torch.relu(self.matrix(x)))


def trained(network, optimizer, steps, seed=0):
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        ids = torch.randint(600, (8, 12), generator=generator)
        optimizer.zero_grad()
        network(ids).square().mean().backward()
        optimizer.step()
    return {name: value.clone() for name, value in network.state_dict().items()}


@pytest.fixture
def network():
    torch.manual_seed(3)
    return Network()


@needs_muon
def test_each_weight_is_stepped_as_torch_would_alone(network):
    other = copy.deepcopy(network)
    both = MuonWithAdamW(network.parameters(), lr=1e-3, tables=5.0)
    size = float(other.table.weight.detach().square().mean().sqrt())
    kernel = nn.Parameter(other.filter.weight.detach().flatten(1))
    muon = torch.optim.Muon(
        [kernel, other.matrix.weight], lr=1e-3, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"
    )
    vectors = [other.filter.bias, other.matrix.bias, *other.narrow.parameters()]
    groups = [{"params": vectors}, {"params": [other.table.weight], "lr": 5e-3 * size}]
    adamw = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99), weight_decay=0.0, fused=True)
    ids = torch.arange(96).view(8, 12)
    for model in (network, other):
        model(ids).square().mean().backward()
    kernel.grad = other.filter.weight.grad.flatten(1)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    both.step()
    muon.step()
    adamw.step()
    other.filter.weight.data = kernel.detach().view_as(other.filter.weight)
    for name, value in other.state_dict().items():
        torch.testing.assert_close(network.state_dict()[name], value, rtol=0, atol=0)
        assert not torch.equal(before[name], value), name


@needs_muon
def test_a_checkpoint_goes_on_bit_for_bit(network):
    other = copy.deepcopy(network)
    make = MuonWithAdamW(network.parameters(), lr=1e-3)
    trained(network, make, 3)
    saved = copy.deepcopy((network.state_dict(), make.state_dict()))
    wanted = trained(network, make, 3, seed=1)

    other.load_state_dict(saved[0])
    again = MuonWithAdamW(other.parameters(), lr=1e-3)
    again.load_state_dict(saved[1])
    found = trained(other, again, 3, seed=1)
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


@needs_muon
def test_a_schedule_moves_the_rates_of_all_parts(network):
    optimizer = MuonWithAdamW(network.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.0)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    after = trained(network, optimizer, 2)
    schedule.step()
    assert all(torch.equal(before[name], after[name]) for name in before)


@needs_muon
def test_a_checkpoint_of_another_optimizer_is_refused_in_a_line(network):
    adamw = torch.optim.AdamW(network.parameters(), lr=1e-3)
    trained(network, adamw, 1)
    with pytest.raises(UserError, match="written by another optimizer"):
        MuonWithAdamW(network.parameters(), lr=1e-3).load_state_dict(adamw.state_dict())


def test_a_torch_without_muon_is_told_in_a_line(network, monkeypatch):
    monkeypatch.delattr(torch.optim, "Muon", raising=False)
    with pytest.raises(UserError, match=r"torch 2\.9 or newer.*optimizer=adamw"):
        MuonWithAdamW(network.parameters(), lr=1e-3)


@needs_muon
def test_tables_that_can_not_learn_are_refused(network):
    with pytest.raises(UserError, match=r"optimizer\.tables=0"):
        MuonWithAdamW(network.parameters(), lr=1e-3, tables=0)
