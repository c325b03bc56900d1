"""Every part of the benchmark, found by discovery: its sides do the same work."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from tests.benchmarks.speed.language import LANGUAGE_SIZES, pairs, random_backbone
from tests.benchmarks.speed.part import ORIGINAL, SIZES, Settings
from tests.benchmarks.speed.parts import part_named, part_names
from tests.benchmarks.speed.training import step, training

TINY = Settings(size="tiny", threads=1)


@pytest.mark.parametrize("name", part_names())
def test_a_part_says_what_it_does(name):
    for size in SIZES:
        part = part_named(name, replace(TINY, size=size))
        assert part.workload() and part.units() > 0
    names = [side.name for side in part.sides]
    assert names[0] == ORIGINAL and len(set(names)) == len(names) > 1
    assert all(side.text and side.dtype in ("float32", "bfloat16") for side in part.sides)
    assert part.title and part.unit and {"cpu"} <= set(part.devices) <= {"cpu", "cuda"}


@pytest.mark.parametrize("name", part_names())
def test_all_sides_of_a_part_do_the_same_and_what_differs_is_noticed(name, tmp_path):
    part = part_named(name, TINY)
    part.make_files(tmp_path)
    found = {}
    for side in part.sides:
        torch.manual_seed(TINY.seed)
        work = part.work(side.name, tmp_path)
        work()
        found[side.name] = part.findings(work())
    for side in part.sides[1:]:
        check = part.compare(found[ORIGINAL], found[side.name], side.dtype)
        assert check.passed, check.text
    other = {
        key: array * 2 + 1 if np.issubdtype(array.dtype, np.number) else array
        for key, array in found[side.name].items()
    }
    assert not part.compare(found[ORIGINAL], other, side.dtype).passed


def test_both_ways_learn_the_same_without_dropout():
    """After three steps: what differs is how portions are averaged, and the padding."""
    settings = replace(TINY, dropout=0.0)
    part = part_named("training_step", settings)
    losses = {}
    for side in ("original", "ours float32"):
        torch.manual_seed(0)
        trained = training(side, "float32", settings)
        first = part.first_loss(trained)
        for _ in range(3):
            step(trained, part.pairs, portion=4)
        losses[side] = first, part.first_loss(trained)
    for before, after in zip(losses["original"], losses["ours float32"], strict=True):
        assert after == pytest.approx(before, rel=1e-3)
    assert losses["ours float32"][1] < losses["ours float32"][0]


def test_the_batch_has_the_lengths_of_real_clips():
    made = pairs(Settings(size="base"))
    codes = np.array([pair.target.count("<") - 2 for pair in made])
    words = np.array([len(pair.input.split()) - 3 for pair in made])
    assert len(made) == 16 and codes.max() == 49 and 35 < codes.mean() < 45
    assert 10 < words.mean() < 13.5 and words.max() + 4 <= 23


def test_the_vocabulary_is_that_of_the_published_model():
    assert LANGUAGE_SIZES["base"].rows == 32615
    backbone = random_backbone(TINY)
    pair = pairs(TINY)[0]
    ids = backbone.encode_targets([pair.target])[0]
    assert len(ids) == pair.target.count("<") + 1
    assert len(backbone.encode_inputs([pair.input])[0]) == len(pair.input.split()) + 1
    assert backbone.text_tokenizer.unk_token_id not in ids
