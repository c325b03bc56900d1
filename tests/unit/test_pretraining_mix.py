"""What pretraining draws from a clip."""

from collections import Counter

import numpy as np
import pytest

from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.tasks.example import Example
from motiongpt.methods.motiongpt.tasks.pretraining_mix import PretrainingMix
from tests.unit.clip_tokens import VOCABULARY, K, make_clip


def pretraining(**shares):
    return PretrainingMix(K, lambda text, rng: Example("objective", text), **shares)


def test_pretraining_draws_all_objectives_by_share():
    rng = np.random.default_rng(0)
    mix, clip = pretraining(), make_clip()
    drawn = [mix.example(clip, rng) for _ in range(1500)]
    caption, motion = clip.captions[0], VOCABULARY.write(clip.codes)
    counts = Counter((example.input, example.target) for example in drawn)
    assert set(counts) == {
        (caption, motion),
        (motion, caption),
        ("objective", caption),
        ("objective", motion),
        ("objective", f"{caption} {motion}"),
    }
    assert 0.28 < counts[caption, motion] / 1500 < 0.38
    assert 0.08 < counts["objective", motion] / 1500 < 0.15


def test_pretraining_without_captions_is_unsupervised_motion():
    clip = make_clip(captions=())
    mix = pretraining()
    assert mix.accepts(clip)
    assert mix.example(clip, np.random.default_rng(0)).target == VOCABULARY.write(clip.codes)
    assert not pretraining(unsupervised=0.0).accepts(clip)


def test_pretraining_refuses_what_makes_no_sense():
    with pytest.raises(UserError, match="not all 0"):
        pretraining(unsupervised=0, text_to_motion=0, motion_to_text=0)
    with pytest.raises(UserError, match="unknown material music"):
        pretraining(materials={"music": 1.0})
    with pytest.raises(UserError, match="2 tokens"):
        pretraining().example(make_clip(2), np.random.default_rng(0))
