"""Span corruption: how much, where, and that nothing is lost."""

import numpy as np
import pytest

from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.tasks.example import Example, TokenExample
from motiongpt.methods.motiongpt.training.span_corruption import (
    SpanCorruption,
    released_corruption,
    span_mask,
    span_numbers,
)
from motiongpt.methods.motiongpt.training.unsupervised import (
    token_rows,
    unsupervised_objective,
)


class Words:
    """A text tokenizer of one id a word: 1 ends the text, sentinels are 9000, 8950, 8900, ..."""

    eos_token_id = 1

    def __init__(self, sentinels=20):
        self.sentinels = {f"<extra_id_{i}>": 9000 - 50 * i for i in range(sentinels)}

    def get_vocab(self):
        return {"</s>": 1, **self.sentinels}

    def __call__(self, text, add_special_tokens, verbose):
        return {"input_ids": [10 + int(word) for word in text.split()]}


def numbers(count):
    return " ".join(map(str, range(count)))


@pytest.mark.parametrize("length", [2, 3, 10, 57, 256])
def test_share_and_number_of_spans(length):
    for seed in range(20):
        mask = span_mask(length, np.random.default_rng(seed).shuffle)
        corrupted = min(max(round(0.15 * length), 1), length - 1)
        assert mask.shape == (length,)
        assert mask.sum() == corrupted
        assert span_numbers(mask).max() == max(round(corrupted / 3), 1)


def test_spans_lie_anywhere_unless_the_original_arithmetic_is_asked_for():
    ours = [span_mask(9, np.random.default_rng(seed).shuffle) for seed in range(200)]
    assert np.mean(ours, axis=0).min() > 0.05
    theirs = [span_mask(9, np.random.default_rng(s).shuffle, anywhere=False) for s in range(20)]
    assert all(mask.tolist() == [False] * 8 + [True] for mask in theirs)


def test_nothing_to_corrupt():
    rng = np.random.default_rng(0)
    assert span_mask(1, rng.shuffle).tolist() == [False]
    assert span_mask(0, rng.shuffle).tolist() == []


def test_most_spans_is_kept_to():
    mask = span_mask(200, np.random.default_rng(0).shuffle, most_spans=4)
    assert span_numbers(mask).max() == 4
    assert mask.sum() == 30


def test_masks_differ_from_draw_to_draw():
    rng = np.random.default_rng(0)
    assert len({span_mask(60, rng.shuffle).tobytes() for _ in range(20)}) > 15


def test_input_and_target_hold_every_token_once_in_order():
    corrupt = SpanCorruption(Words())
    sentinels = list(Words().sentinels.values())
    for seed in range(20):
        example = corrupt(numbers(60), np.random.default_rng(seed))
        assert example.input_ids[-1] == example.target_ids[-1] == 1
        used = [token for token in example.input_ids if token in sentinels]
        assert used == sentinels[: len(used)]
        assert [token for token in example.target_ids if token in sentinels] == used
        assert merged(example, set(sentinels)) == list(range(10, 70))


def merged(example, sentinels):
    """Put the spans of the target back into the input."""
    spans, key = {}, None
    for token in example.target_ids[:-1]:
        if token in sentinels:
            key = token
            spans[key] = []
        else:
            spans[key].append(token)
    assert all(spans.values())
    whole = [spans[token] if token in sentinels else [token] for token in example.input_ids[:-1]]
    return [token for part in whole for token in part]


def test_a_row_is_corrupted_alone_and_cut_to_length():
    example = SpanCorruption(Words(), most_tokens=20)(numbers(500), np.random.default_rng(0))
    assert len(example.input_ids) <= 20
    assert merged(example, set(Words().sentinels.values())) == list(range(10, 29))


def test_same_generator_same_example():
    corrupt = SpanCorruption(Words())
    first, second = (corrupt(numbers(40), np.random.default_rng(3)) for _ in range(2))
    assert first == second
    assert first != corrupt(numbers(40), np.random.default_rng(4))


def test_no_sentinels_is_refused():
    with pytest.raises(UserError, match="extra_id_0"):
        SpanCorruption(Words(sentinels=0))
    with pytest.raises(UserError, match="impossible"):
        SpanCorruption(Words(), share=1.5)


def test_released_way_masks_padding_like_text():
    ids = np.zeros((1, 8), np.int64)
    ids[0, :3] = [20, 21, 22]
    mask = np.array([[False, True, False, False, False, False, True, True]])
    inputs, labels = released_corruption(ids, mask, text_tokens=1003, codebook_size=100)
    assert inputs.tolist() == [[20, 899, 22, 0, 0, 0, 898, 1]]
    assert labels.tolist() == [[899, 21, 898, 0, 0, 1]]


class FakeBackbone:
    """Enough of a backbone to be given an objective."""

    max_input_tokens = max_target_tokens = 30
    text_tokenizer = Words()

    def __init__(self, encoder):
        config = type("Config", (), {"is_encoder_decoder": encoder})()
        self.language_model = type("Model", (), {"config": config})()

    def encode_inputs(self, texts):
        return [[5, *(10 + int(word) for word in text.split())] for text in texts]

    encode_targets = encode_inputs


def test_objective_fits_the_backbone():
    rng = np.random.default_rng(0)
    corrupted = unsupervised_objective(FakeBackbone(encoder=True))(numbers(60), rng)
    assert isinstance(corrupted, TokenExample)
    assert len(corrupted.input_ids) <= 30
    plain = unsupervised_objective(FakeBackbone(encoder=False))(numbers(3), rng)
    assert plain == Example("", "0 1 2")


def test_rows_are_of_both_kinds_in_order():
    rows = token_rows(FakeBackbone(True), [Example("1", "2"), TokenExample((7, 1), (8, 1))])
    assert rows == [([5, 11], [5, 12]), ([7, 1], [8, 1])]
