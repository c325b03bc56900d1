"""Rows, corruption and the loss of T2M-GPT."""

import numpy as np
import pytest
import torch

from motiongpt.methods.t2m_gpt.rows import (
    Row,
    collate,
    corrupt_at_random,
    drop_at_random,
    row_means,
    target_row,
)

STOP, PAD = 9, 10


def row(*codes, inputs=None):
    codes = np.array(codes, np.int64)
    return Row(torch.ones(2), codes, codes if inputs is None else np.array(inputs, np.int64))


def test_a_row_is_codes_stop_and_pads():
    assert target_row(np.array([3, 1]), 5, STOP, PAD).tolist() == [3, 1, STOP, PAD, PAD]
    assert target_row(np.array([3, 1]), 2, STOP, PAD).tolist() == [3, 1, STOP]
    assert target_row(np.array([], np.int64), 2, STOP, PAD).tolist() == [STOP, PAD]


def test_a_batch_is_padded_to_its_longest_row():
    batch = collate([row(3, 1, 4), row(5, inputs=[7])], STOP, PAD)
    assert batch.inputs.tolist() == [[3, 1, 4], [7, PAD, PAD]]
    assert batch.targets.tolist() == [[3, 1, 4, STOP], [5, STOP, PAD, PAD]]
    assert batch.lengths.tolist() == [4, 2] and batch.counted == 6


def test_the_loss_is_the_mean_over_rows_of_means_over_codes_and_stop():
    torch.manual_seed(0)
    batch = collate([row(3, 1, 4), row(5)], STOP, PAD)
    logits = torch.randn(2, 4, 10)
    found = row_means(logits, batch.targets, batch.lengths)
    logs = logits.log_softmax(-1)
    first = -(logs[0, 0, 3] + logs[0, 1, 1] + logs[0, 2, 4] + logs[0, 3, STOP]) / 4
    second = -(logs[1, 0, 5] + logs[1, 1, STOP]) / 2
    torch.testing.assert_close(found.losses, torch.stack((first, second)))
    torch.testing.assert_close(found.loss, (first + second) / 2)
    logits[1, 2:] = 100.0  # beyond the stop
    assert row_means(logits, batch.targets, batch.lengths).loss == found.loss


def test_hits_are_counted_up_to_the_stop():
    batch = collate([row(3, 1, 4), row(5)], STOP, PAD)
    logits = torch.zeros(2, 4, 10)
    logits[0, 0, 3] = logits[0, 3, STOP] = logits[1, 1, STOP] = logits[1, 2, STOP] = 1
    logits[0, 1, 2] = logits[0, 2, 2] = logits[1, 0, 2] = 1
    assert int(row_means(logits, batch.targets, batch.lengths).hits) == 3


def test_a_share_of_the_inputs_is_replaced_by_any_code():
    inputs, codes = np.full(40_000, 5), 8
    found = corrupt_at_random(inputs, 0.5, codes, np.random.default_rng(0))
    # A replacement may be the code itself.
    assert (found == 5).mean() == pytest.approx(0.5 + 0.5 / codes, abs=0.01)
    others = np.bincount(found, minlength=codes)[[0, 1, 2, 3, 4, 6, 7]] / len(found)
    assert others == pytest.approx(0.5 / codes, abs=0.005)
    assert found.max() == codes - 1
    assert (corrupt_at_random(inputs, 1.0, codes, np.random.default_rng(0)) == 5).all()
    none = corrupt_at_random(inputs, 0.0, codes, np.random.default_rng(0))
    assert (none == 5).mean() == pytest.approx(1 / codes, abs=0.01)


def test_a_third_of_the_rows_lose_their_first_or_last_token_alike():
    rng, codes = np.random.default_rng(0), np.arange(4)
    found = [drop_at_random(codes, 1 / 3, rng).tolist() for _ in range(6000)]
    shares = [found.count(kept) / 6000 for kept in ([0, 1, 2, 3], [1, 2, 3], [0, 1, 2])]
    assert shares == pytest.approx([2 / 3, 1 / 6, 1 / 6], abs=0.02)
    assert all(len(drop_at_random(codes[:1], 1.0, rng)) == 1 for _ in range(20))
