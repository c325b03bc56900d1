"""Lookup by words: the clip whose caption is nearest."""

import numpy as np
import pytest

from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption
from motiongpt.data.word_stems import stem
from motiongpt.methods.base import Request
from motiongpt.methods.lookup.words import CaptionIndex
from tests.unit.fake_source import FakeSource, feature_clip
from tests.unit.lookup.parts import train_clip, trained


def test_a_training_clips_caption_gets_that_clip(store, method):
    for number in range(10):
        index, _, features = train_clip(store, number)
        text = store.captions(index)[0].text.upper() + "!"
        same = [
            store.features(int(i))
            for i in store.indices("train")
            if any(c.text == store.captions(index)[0].text for c in store.captions(int(i)))
        ]
        [found] = method.generate([Request("x", "text_to_motion", text)], 0)
        assert any(np.array_equal(found.motion, one) for one in same)
        assert any(np.array_equal(features, one) for one in same)


def test_the_same_words_in_another_order_come_after_the_very_caption():
    index = CaptionIndex.build(["he jumps then she walks", "she walks then he jumps", "he sits"])
    first, second, third = index.similarities("She walks, then he jumps.")
    assert second > first == 1 > third > 0
    assert index.similarities("zzz").tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "words",
    ["walk walks walked walking", "wave waves waving waved", "hop hops hopping hopped",
     "carry carries carried", "punch punches punching", "kneel kneels kneeling", "sit sitting"],
)  # fmt: skip
def test_forms_of_a_word_are_one(words):
    assert len({stem(word) for word in words.split()}) == 1


def test_words_that_differ_stay_apart():
    words = [
        "walk",
        "wave",
        "this",
        "his",
        "left",
        "right",
        "bed",
        "red",
        "sing",
        "king",
        "up",
        "run",
        "turn",
        "arm",
        "arch",
    ]
    assert len({stem(word) for word in words}) == len(words)


def test_rare_words_decide(tmp_path):
    captions = ["a person walks", "a person walks slowly", "a person limps", "a person walks home"]
    items = [
        feature_clip(f"c{i}", seed=i, captions=(Caption(text),)) for i, text in enumerate(captions)
    ]
    store = build_store(FakeSource(items), tmp_path / "s", progress=False)
    found = trained(store, tmp_path).generate(
        [Request("x", "text_to_motion", "somebody is limping")], 0
    )
    np.testing.assert_array_equal(found[0].motion, store.features(2))


def test_samples_are_different_clips_and_start_anew_after_the_last(store, method):
    count = len(store.indices("train"))
    asked = [Request("x", "text_to_motion", "a person walks", sample=s) for s in range(count + 1)]
    motions = [one.motion for one in method.generate(asked, 0)]
    assert len({one.tobytes() for one in motions[:-1]}) == count
    np.testing.assert_array_equal(motions[-1], motions[0])
    completions = [
        Request("x", "prediction", frames=40, start=store.features(0, 0, 8), sample=s)
        for s in range(3)
    ]
    assert len({one.motion.tobytes() for one in method.generate(completions, 0)}) == 3
