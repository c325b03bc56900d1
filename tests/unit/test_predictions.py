"""Saved answers: written, read, refused where broken, scored."""

import json
from dataclasses import replace

import numpy as np
import pytest

from evaluation.requests.predictions import (
    About,
    Outputs,
    PredictionSet,
    clip_indices,
    prediction_sets,
)
from motiongpt.errors import UserError

ABOUT = About(
    task="text_to_motion",
    kind="motion",
    fingerprint="f" * 64,
    clips=["one", "two"],
    frames=[8, 12],
    given=[(0, 0), (4, 0)],
    seeds=[7, 8],
)


def answers(lengths=(3, 0)):
    draw = np.random.default_rng(0)
    return Outputs(
        captions=[0, -1],
        prompts=["a", "b"],
        texts=["", "words"],
        motions=[draw.normal(size=(n, 5)).astype(np.float32) for n in lengths],
    )


def test_what_is_written_is_read(tmp_path):
    made = PredictionSet.create(tmp_path / "set", ABOUT)
    assert not made.has(0)
    made.write(0, answers())
    again = PredictionSet.open(tmp_path / "set")
    assert again.about == ABOUT and again.has(0) and not again.has(1)
    found = again.read(0, 5)
    assert found.texts == ["", "words"] and found.captions == [0, -1]
    for one, other in zip(found.motions, answers().motions, strict=True):
        np.testing.assert_array_equal(one, other)
    assert [one.folder.name for one in prediction_sets(tmp_path)] == ["set"]


def test_half_the_room_is_taken_where_it_is_asked_for(tmp_path):
    made = PredictionSet.create(tmp_path, replace(ABOUT, stored="float16"))
    made.write(0, answers())
    assert np.load(tmp_path / "replication_00.npy").dtype == np.float16
    found = PredictionSet.open(tmp_path).read(0, 5)
    for one, other in zip(found.motions, answers().motions, strict=True):
        assert one.dtype == np.float32
        np.testing.assert_allclose(one, other, rtol=2**-11, atol=1e-6)


def test_a_number_too_large_for_it_is_named(tmp_path):
    made = PredictionSet.create(tmp_path, replace(ABOUT, stored="float16"))
    motions = [np.full((2, 5), 7e4, np.float32), np.zeros((1, 5), np.float32)]
    with pytest.raises(UserError, match="larger than 65504, the most that float16"):
        made.write(0, replace(answers(), motions=motions))
    assert not made.has(0)


def test_sentences_need_no_array_of_motions(tmp_path):
    made = PredictionSet.create(tmp_path, ABOUT)
    made.write(0, answers((0, 0)))
    assert not list(tmp_path.glob("*.npy"))
    assert made.read(0, 5).motions[1].shape == (0, 5)


def test_broken_sets_are_refused_in_one_line(tmp_path):
    made = PredictionSet.create(tmp_path, ABOUT)
    with pytest.raises(UserError, match="replication 0 is absent"):
        made.read(0, 5)
    made.write(0, answers())
    with pytest.raises(UserError, match=r"shape \(3, 5\); expected \(3, 6\)"):
        made.read(0, 6)
    (tmp_path / "replication_00.npy").unlink()
    with pytest.raises(UserError, match="no array of motions"):
        made.read(0, 5)
    fewer = json.loads((tmp_path / "replication_00.json").read_text())
    fewer = {key: value[:1] for key, value in fewer.items()}
    (tmp_path / "replication_00.json").write_text(json.dumps(fewer))
    with pytest.raises(UserError, match="1 outputs; expected 2"):
        made.read(0, 5)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "dance"},
        {"frames": [1]},
        {"seeds": []},
        {"given": [[1]]},
        {"more": 1},
        {"stored": "int8"},
    ],
)
def test_a_wrong_description_is_refused(tmp_path, change):
    PredictionSet.create(tmp_path, ABOUT)
    described = json.loads((tmp_path / "about.json").read_text())
    (tmp_path / "about.json").write_text(json.dumps(described | change))
    with pytest.raises(UserError, match=r"about\.json"):
        PredictionSet.open(tmp_path)


def test_predictions_of_other_data_are_refused():
    assert clip_indices(ABOUT, ["two", "three", "one"], "f" * 64) == [2, 0]
    with pytest.raises(UserError, match="made of data ffffffffffff, these are 000000000000"):
        clip_indices(ABOUT, ["one", "two"], "0" * 64)
    with pytest.raises(UserError, match="no clip two"):
        clip_indices(ABOUT, ["one"], "f" * 64)


def test_no_predictions_says_how_to_get_them(tmp_path):
    with pytest.raises(UserError, match="goal=generate"):
        prediction_sets(tmp_path)
    with pytest.raises(UserError, match="goal=generate"):
        PredictionSet.open(tmp_path)


def test_samples_of_a_clip_follow_one_another(tmp_path):
    about = replace(ABOUT, kind="samples", samples=3, seeds=[1])
    made = PredictionSet.create(tmp_path, about)
    with pytest.raises(UserError, match="2 outputs; expected 6"):
        made.write(0, answers())
        made.read(0, 5)
