"""Choosing tokens by random numbers, and each row's stream of them."""

import numpy as np
import pytest
import torch

from motiongpt.methods.motiongpt.generation.decoding import Decoding
from motiongpt.sampling.choice import choose
from motiongpt.sampling.rng import uniform_rows


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"top_k": 0}, [0.4, 0.3, 0.2, 0.1]),
        ({"top_k": 2}, [4 / 7, 3 / 7, 0, 0]),
        ({"top_k": 0, "top_p": 0.65}, [4 / 7, 3 / 7, 0, 0]),
        ({"top_k": 0, "top_p": 0.71}, [4 / 9, 3 / 9, 2 / 9, 0]),
        ({"top_k": 0, "temperature": 0.5}, [16 / 30, 9 / 30, 4 / 30, 1 / 30]),
    ],
)
def test_tokens_are_drawn_as_often_as_they_are_likely(options, expected):
    n = 40_000
    order = torch.tensor([2, 0, 3, 1])  # the likeliest is not the first
    logits = torch.tensor([0.4, 0.3, 0.2, 0.1]).log()[order].expand(n, 4)
    uniform = uniform_rows(5, range(n), 1)[:, 0]
    drawn = np.bincount(order[choose(logits, uniform, Decoding(**options))], minlength=4) / n
    assert np.abs(drawn - expected).max() < 4 * np.sqrt(0.25 / n)
    assert (drawn[np.array(expected) == 0] == 0).all()


def test_the_ends_of_the_range_choose_what_may_follow():
    logits = torch.tensor([[0.0, float("-inf"), 1.0, float("-inf")]]).expand(2, 4)
    uniform = torch.tensor([0.0, np.nextafter(np.float32(1), np.float32(0))])
    assert choose(logits, uniform, Decoding(top_k=0)).tolist() == [2, 0]


def test_streams_of_rows_differ_and_repeat():
    first = uniform_rows(1, range(4), 6)
    assert torch.equal(first[:2], uniform_rows(1, range(2), 9)[:, :6])
    assert torch.equal(first[[3, 1]], uniform_rows(1, [3, 1], 6))
    assert len(first.unique()) == 24 and (first != uniform_rows(2, range(4), 6)).all()
