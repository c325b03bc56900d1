"""The loop that trains evaluators takes the optimizer that it is given, and Adam otherwise."""

import torch
from torch import nn

from evaluation.evaluators.training_steps import Steps, train_steps


def trained(**settings):
    torch.manual_seed(0)
    network, seen = nn.Linear(3, 1), torch.ones(4, 3)
    steps = Steps(steps=5, batch_size=4, learning_rate=0.1, **settings)
    train_steps(
        "test", list(network.parameters()), lambda: network(seen).square().mean(), steps, print
    )
    return network.weight.detach().clone()


def test_adam_is_the_default():
    assert torch.equal(trained(), trained(optimizer=torch.optim.Adam))


def test_another_optimizer_is_used():
    given = []

    def plain(parameters, lr):
        given.append(lr)
        return torch.optim.SGD(parameters, lr=lr)

    assert not torch.equal(trained(optimizer=plain), trained()) and given == [0.1]
