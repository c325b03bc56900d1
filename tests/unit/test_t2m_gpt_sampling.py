"""Generating codes: greedy and drawn, each row by itself."""

import numpy as np
import torch

from motiongpt.methods.t2m_gpt.sampling import draw, released_greedy_batch, sample_codes
from motiongpt.sampling.rng import uniform_rows
from tests.unit.test_t2m_gpt_network import network

ROWS = 24


def texts(rows=ROWS):
    torch.manual_seed(2)
    return torch.randn(rows, 6)


def uniforms(made, rows=ROWS, seed=0):
    return uniform_rows(seed, range(rows), made.max_codes)


@torch.no_grad()
def plainly(made, text, uniform=None):
    """Row by row, with the whole forward for every code."""
    found = []
    for index in range(len(text)):
        codes = torch.zeros(1, 0, dtype=torch.int64)
        while codes.shape[1] < made.max_codes:
            logits = made(text[index : index + 1], codes)[:, -1]
            if uniform is None:
                chosen = logits.argmax(1)
            else:
                sums = logits.softmax(1).double().cumsum(1)
                chosen = (sums <= uniform[index, codes.shape[1]]).sum(1)
            if chosen == made.stop:
                break
            codes = torch.cat((codes, chosen[:, None]), 1)
        found.append(codes[0].tolist())
    return found


def as_lists(rows):
    return [row.tolist() for row in rows]


def test_both_ways_give_what_the_plain_forward_gives():
    made, text = network(), texts()
    drawn = plainly(made, text, uniforms(made))
    lengths = {len(row) for row in drawn}
    assert 0 in lengths and made.max_codes in lengths and len(lengths) > 4
    assert as_lists(sample_codes(made, text, uniforms(made))) == drawn
    assert as_lists(sample_codes(made, text)) == plainly(made, text)
    assert sample_codes(made, text[:0]) == []


def test_a_row_is_the_same_alone_and_in_any_company():
    made, text = network(), texts()
    whole = as_lists(sample_codes(made, text, uniforms(made)))
    assert as_lists(sample_codes(made, text, uniforms(made))) == whole
    assert as_lists(sample_codes(made, text, uniforms(made, seed=1))) != whole
    for rows in ([3], [20, 3, 7], list(range(ROWS))[::-1]):
        some = sample_codes(made, text[rows], uniforms(made)[rows])
        assert as_lists(some) == [whole[index] for index in rows]


def test_a_row_can_be_made_exactly_as_long_as_asked():
    made, text = network(), texts()
    wanted = torch.tensor([0, 1, 3, 5, 8, 99] * 4)
    free = as_lists(sample_codes(made, text, uniforms(made)))
    for how in (uniforms(made), None):
        found = sample_codes(made, text, how, wanted)
        lengths = [len(row) for row in found]
        assert [n for n, w in zip(lengths, wanted, strict=True) if w] == [1, 3, 5, 8, 8] * 4
        assert all(made.stop not in row for row in found)
    found = as_lists(sample_codes(made, text, uniforms(made), wanted))
    assert found[::6] == free[::6]


def test_a_draw_counts_the_sums_that_the_number_has_reached():
    shares = torch.tensor([[0.25, 0.0, 0.5, 0.25]])
    for number, expected in ((0.0, 0), (0.24, 0), (0.25, 2), (0.74, 2), (0.75, 3), (0.99999, 3)):
        assert draw(shares, torch.tensor([number])).tolist() == [expected]
    short = torch.tensor([[0.5, 0.4999, 0.0]])  # rounding, and a choice that is forbidden
    assert draw(short, torch.tensor([0.99999])).tolist() == [1]


def test_draws_have_the_network_s_own_distribution():
    made = network()
    rows = 20_000
    text = texts(1).expand(rows, -1)
    numbers = torch.from_numpy(np.random.default_rng(0).random((rows, made.max_codes)))
    first = [row[0] if len(row) else made.stop for row in sample_codes(made, text, numbers)]
    found = np.bincount(first, minlength=12) / rows
    with torch.no_grad():
        expected = made.start(texts(1)).logits.softmax(1)[0].numpy()
    np.testing.assert_allclose(found, expected, atol=0.015)


def test_the_released_batch_ends_with_its_first_row():
    made, text = network(), texts()
    alone = as_lists(sample_codes(made, text))
    short = next(i for i, row in enumerate(alone) if 0 < len(row) < 7)
    long = next(i for i, row in enumerate(alone) if len(row) > len(alone[short]))
    first = released_greedy_batch(made, text[[short, long]]).tolist()
    assert first == [alone[short], alone[long][: len(alone[short])]]
    other = released_greedy_batch(made, text[[long, short]]).tolist()
    assert other[0] == alone[long]
    assert other[1][: len(alone[short]) + 1] == [*alone[short], made.stop]
