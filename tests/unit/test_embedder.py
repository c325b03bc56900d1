"""Embeddings are computed once, kept on disk where real, and never mixed up."""

import numpy as np
import pytest
import torch

from evaluation.evaluators.base import Evaluator
from evaluation.replications.embedder import Embedder
from evaluation.replications.rules import Rules
from motiongpt.data.clip import Caption
from motiongpt.errors import UserError


class Counting(Evaluator):
    """An evaluator that counts what it is asked; "released" looks at the whole batch."""

    fingerprint = "abc"

    def __init__(self):
        self.description = {"max_frames": 10}
        self.asked = 0

    def motion_embeddings(self, features, packing="packed"):
        self.asked += len(features)
        total = sum(len(clip) for clip in features) if packing == "released" else 0
        return np.array([[clip.sum(), len(clip), total] for clip in features], np.float32)

    def save(self, folder):
        raise NotImplementedError

    @classmethod
    def load(cls, folder, device="cpu"):
        raise NotImplementedError

    def text_embeddings(self, captions, max_words=20):
        self.asked += len(captions)
        return np.array([[len(str(c)), max_words, 0] for c in captions], np.float32)


def clips(*lengths, seed=0):
    draw = np.random.default_rng(seed)
    return [draw.normal(size=(n, 4)).astype(np.float32) for n in lengths]


def make(folder=None, **rules):
    evaluator = Counting()
    return evaluator, Embedder(evaluator, Rules(**rules), np.ones(4, np.float32), folder, "data")


def test_the_same_clip_is_embedded_once_in_whatever_list():
    evaluator, embedder = make()
    first = embedder.motions(clips(5, 6, 7))
    assert evaluator.asked == 3
    again = embedder.motions([*reversed(clips(5, 6, 7)), *clips(8, seed=1)])
    assert evaluator.asked == 4
    torch.testing.assert_close(again[:3], first.flip(0))


def test_real_embeddings_are_kept_on_disk_and_generated_ones_are_not(tmp_path):
    _, embedder = make(tmp_path)
    real = embedder.motions(clips(5, 6), keep=True)
    embedder.motions(clips(7, seed=3))
    embedder.sentences([Caption("a man walks")], keep=True)
    embedder.save()
    evaluator, again = make(tmp_path)
    torch.testing.assert_close(again.motions(clips(5, 6)), real)
    again.sentences([Caption("a man walks")])
    assert evaluator.asked == 0
    again.motions(clips(7, seed=3))
    assert evaluator.asked == 1


def test_what_sees_its_batch_is_remembered_by_the_batch():
    evaluator, embedder = make(packing="released")
    pair, alone = embedder.motions(clips(5, 6)), embedder.motions(clips(5))
    assert pair[0, 2] == 11 and alone[0, 2] == 5 and evaluator.asked == 3
    embedder.motions(clips(5, 6))
    assert evaluator.asked == 3


def test_too_long_is_cut_and_too_short_filled_with_the_mean_pose():
    _, embedder = make()
    long, short, none = embedder.motions([np.zeros((12, 4)), np.zeros((1, 4)), np.zeros((0, 4))])
    assert long[1] == 10
    assert short.tolist() == [12, 4, 0] and none.tolist() == [16, 4, 0]


def test_unit_embeddings_have_length_one_and_words_follow_the_rules():
    _, embedder = make(embeddings="unit", text_words=40)
    assert embedder.motions(clips(5, 6)).norm(dim=-1).tolist() == pytest.approx([1, 1])
    _, embedder = make(text_words=40)
    assert embedder.sentences(["four"])[0, 1] == 40


def test_a_broken_cache_is_named(tmp_path):
    (tmp_path / "abc-data.npz").write_bytes(b"no archive")
    with pytest.raises(UserError, match="broken cache of embeddings"):
        make(tmp_path)
