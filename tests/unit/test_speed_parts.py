"""Every part of the benchmark, found by discovery: its sides do the same work."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from evaluation.speed.catalogue import part_named, part_names
from evaluation.speed.language import LANGUAGE_SIZES, pairs, random_backbone
from evaluation.speed.limits import Limits
from evaluation.speed.part import ORIGINAL, SIZES, Settings
from motiongpt.errors import UserError

TINY = Settings(size="tiny", threads=1)
LIMITS = Limits({"float32": 1e11, "bfloat16": 2e11}, 2e10)


@pytest.mark.parametrize("name", part_names())
def test_a_part_says_what_it_does(name):
    part = part_named(name)(TINY)
    sides = part.sides()
    assert sides[0].name == ORIGINAL and len(sides) > 1
    assert len({side.name for side in sides}) == len(sides)
    assert all(side.text and side.dtype in LIMITS.flop for side in sides)
    assert all(set(side.goal) <= set(part.devices) for side in sides)
    assert part.title and part.unit and part.__doc__
    assert set(part.repeats) == set(SIZES)
    assert {"cpu"} <= set(part.devices) <= {"cpu", "cuda"}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", part_names())
def test_what_a_part_needs_is_known_without_building_it(name, size):
    part = part_named(name)(replace(TINY, size=size))
    assert part.workload()
    needs = part.needs()
    assert needs.units > 0 and needs.flop >= 0 and needs.numbers >= 0
    limit = LIMITS.seconds(needs, "float32")
    assert limit is None if name == "store_opening" else limit > 0


@pytest.mark.parametrize("name", part_names())
def test_all_sides_of_a_part_do_the_same(name, tmp_path):
    part = part_named(name)(TINY)
    part.make_files(tmp_path)
    found = {}
    for side in part.sides():
        torch.manual_seed(TINY.seed)
        work = part.work(side.name, tmp_path)
        work.run()
        work.run()
        found[side.name] = work.findings()
        assert all(isinstance(value, float) for value in part.measures(found[side.name]).values())
    checks = part.checks(found)
    assert checks and all(check.passed for check in checks), checks


@pytest.mark.parametrize("name", sorted(set(part_names()) - {"generation"}))
def test_a_side_that_finds_something_else_is_noticed(name, tmp_path):
    part = part_named(name)(TINY)
    part.make_files(tmp_path)
    found = {}
    for side in part.sides():
        torch.manual_seed(TINY.seed)
        work = part.work(side.name, tmp_path)
        work.run()
        found[side.name] = work.findings()
    last = part.sides()[-1].name
    for key, array in found[last].items():
        if np.issubdtype(array.dtype, np.number):
            found[last][key] = array * 2 + 1
    assert not all(check.passed for check in part.checks(found))


def test_both_ways_learn_the_same_without_dropout(tmp_path):
    """After three steps: what differs is how portions are averaged, and the padding."""
    settings = replace(TINY, dropout=0.0)
    part = part_named("training_step")(settings)
    losses = {}
    for side in ("original", "ours float32"):
        torch.manual_seed(0)
        work = part.work(side, tmp_path)
        first = work._first_loss()
        for _ in range(3):
            work.run()
        losses[side] = first, work._first_loss()
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


def test_an_unknown_part_is_answered_with_the_valid_ones():
    with pytest.raises(UserError, match=r"no part 'trainig'; choose some of: features, .*"):
        part_named("trainig")
