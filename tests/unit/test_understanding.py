"""A model says when a sentence is far from what it was trained on."""

import warnings
from types import SimpleNamespace

import pytest

from motiongpt.api.understanding import Understanding
from motiongpt.data.build import build_store
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.data.training_captions import (
    FILE,
    MOST_CAPTIONS,
    TrainingCaptions,
    read_training_captions,
    write_training_captions,
)
from motiongpt.data.word_stems import stems
from motiongpt.errors import UserError

CAPTIONS = (
    "a person walks in a circle.",
    "a person kicks with the right leg.",
    "someone waves with the left hand.",
    "a person walks forward slowly.",
)
KNOWN = Understanding(
    TrainingCaptions(frozenset(w for text in CAPTIONS for w in stems(text)), CAPTIONS)
)


@pytest.mark.parametrize(
    "text",
    [
        "a person walks in a circle",
        "Someone is kicking with their legs!",
        "walking forward",
        "he waves",
    ],
)
def test_what_is_known_is_not_doubted(text):
    assert KNOWN.doubt(text) is None


def test_unknown_words_are_named_with_the_nearest_captions():
    said = KNOWN.doubt("a person juggles and walks in a circle")
    assert said.startswith(
        "'a person juggles and walks in a circle': no training caption has the word juggles;"
    )
    assert said.index("walks in a circle.") < said.index("walks forward slowly.")
    assert "words salto, backwards;" in KNOWN.doubt("a salto backwards")
    assert KNOWN.doubts(["juggle", "he waves", "juggle"]) == [KNOWN.doubt("juggle")]


def test_a_sentence_of_known_words_may_be_far_all_the_same():
    many = [f"a person walks number{n} in a circle" for n in range(50)]
    known = Understanding(
        TrainingCaptions(frozenset(w for t in [*many, "slowly hand"] for w in stems(t)), many)
    )
    assert "is far from all training captions" in known.doubt("slowly hand")


def test_the_file_is_written_merged_and_read(tmp_path):
    store = build_store(SyntheticSource(clips=40), tmp_path / "store", progress=False)
    for name in ("a", "b", "c"):
        (tmp_path / name).mkdir()
    write_training_captions(tmp_path / "a", store)
    found = read_training_captions([tmp_path / "b", tmp_path / "a"])
    texts = {c.text for i in store.indices("train") for c in store.captions(int(i))}
    assert set(found.captions) <= texts and len(found.captions) == min(len(texts), MOST_CAPTIONS)
    known = Understanding(found)
    assert all(known.doubt(text) is None for text in texts)
    (tmp_path / "b" / FILE).write_text(
        '{"format": 1, "words": ["juggl"], "captions": ["he juggles"]}'
    )
    write_training_captions(tmp_path / "c", store, tmp_path / "b")
    merged = read_training_captions([tmp_path / "c"])
    assert merged.words == found.words | {"juggl"} and "he juggles" in merged.captions
    assert read_training_captions([tmp_path]) is None


@pytest.mark.parametrize(
    "text", ["[]", "{", '{"format": 1, "words": 3, "captions": []}', '{"format": 9}']
)
def test_a_damaged_file_is_named(text, tmp_path):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(UserError, match="training_captions.json") as caught:
        read_training_captions([tmp_path])
    assert "\n" not in str(caught.value)


def test_test_captions_of_the_same_kind_are_seldom_doubted(tmp_path):
    store = build_store(SyntheticSource(clips=600), tmp_path / "store", progress=False)
    write_training_captions(tmp_path, store)
    known = Understanding(read_training_captions([tmp_path]))
    tests = [c.text for i in store.indices("test") for c in store.captions(int(i))]
    assert len(tests) > 50 and len(known.doubts(tests)) <= 0.05 * len(set(tests))


def test_the_api_warns_and_old_models_do_not(tmp_path, monkeypatch):
    from motiongpt.api.model import Model

    opened = SimpleNamespace(
        method=SimpleNamespace(name="m"), name="n", folders={"p": tmp_path},
        format=SimpleNamespace(fps=20.0, skeleton=None),
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Model(opened).doubts("a salto") == []
        Model(opened)._warn_of(["a salto"])
    (tmp_path / FILE).write_text('{"format": 1, "words": ["walk"], "captions": ["he walks"]}')
    with pytest.warns(UserWarning, match="no training caption has the word salto"):
        Model(opened)._warn_of(["a salto", "", "he walks"])
