"""Our own evaluator learns on a toy data set, the same for one seed, and survives saving."""

import itertools
import json
from typing import ClassVar

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from evaluation.evaluator_stage import EvaluatorStage, real_retrieval
from evaluation.evaluators.learned_words import LearnedWords
from evaluation.evaluators.loading import load_evaluator
from evaluation.evaluators.movement_autoencoder import (
    AutoencoderSettings,
    MovementDecoder,
    autoencoder_loss,
)
from evaluation.evaluators.parts_of_speech import CATEGORIES
from evaluation.evaluators.t2m_networks import MovementEncoder, T2MSizes
from evaluation.evaluators.t2m_training import T2MTraining
from evaluation.evaluators.text_motion_matching import contrastive_loss
from evaluation.evaluators.training_clips import TrainingClips
from evaluation.evaluators.training_steps import rate
from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption, Clip
from motiongpt.errors import UserError
from motiongpt.training.stage import StageContext
from tests.unit.fake_source import FakeSource, feature_clip

VERBS = ("bows", "claps", "hops", "jumps", "kicks", "runs", "sits", "turns", "waves")
FEATURE = {verb: 10 * index for index, verb in enumerate(VERBS, start=1)}
SETTINGS = {
    "sizes": {
        "movement_hidden": 32,
        "movement": 32,
        "motion_hidden": 32,
        "text_hidden": 32,
        "word": 32,
        "embedding": 32,
    },
    "max_frames": 40,
    "rare_words": 2,
    "word_dropout": 0.1,
    "autoencoder": {"steps": 60, "batch_size": 16, "learning_rate": 3e-3, "window": 12},
    "matching": {"steps": 250, "batch_size": 24, "learning_rate": 3e-3},
}


def clip_of(name, split, verbs, rng):
    """Noise, with a bump for each verb, in order of time, in the feature that is its own."""
    features = rng.normal(size=(int(rng.integers(16, 48)), 263)).astype(np.float32)
    part = len(features) // len(verbs)
    for position, verb in enumerate(verbs):
        features[position * part : (position + 1) * part, FEATURE[verb] : FEATURE[verb] + 8] += 4
    said = " and ".join(verbs)
    captions = (Caption(f"A man {said}."), Caption(f"someone {said}"))
    return Clip(name, split, captions, features=features)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    rng = np.random.default_rng(0)
    pairs = list(itertools.combinations(VERBS, 2))  # 36 different things to do
    clips = [
        clip_of(f"{split}{i}", split, pairs[i % len(pairs)], rng)
        for split, count in (("train", 144), ("val", 36))
        for i in range(count)
    ]
    return build_store(FakeSource(clips), tmp_path_factory.mktemp("toy") / "store", progress=False)


def make(store, seed=0, **changes):
    return T2MTraining(**{**SETTINGS, **changes}).make(store, seed, lambda line: None)


@pytest.fixture(scope="module")
def evaluator(store):
    return make(store)


def some_clips(store):
    return [store.features(int(index), stop=40) for index in store.indices("val")]


def test_real_motion_is_found_by_its_caption(store, evaluator):
    found = real_retrieval(evaluator, store, "val", seed=0)
    assert found["r_top1"] > 0.5, "chance is 1/32"
    assert found["r_top3"] > 0.8
    assert real_retrieval(evaluator, store, "test", seed=0) == {}


def test_other_captions_fit_less(store, evaluator):
    clips = [int(i) for i in store.indices("val")]
    motions = evaluator.motion_embeddings([store.features(i, stop=40) for i in clips])
    right = evaluator.text_embeddings([store.captions(i)[0] for i in clips])
    near = np.linalg.norm(right - motions, axis=1)
    far = np.linalg.norm(np.roll(right, 1, axis=0) - motions, axis=1)
    assert near.mean() < 0.6 * far.mean()


def test_one_seed_gives_one_evaluator(store):
    short = {**SETTINGS["matching"], "steps": 3}
    one, same, other = (make(store, seed, matching=short) for seed in (0, 0, 1))
    assert one.fingerprint == same.fingerprint != other.fingerprint
    clips = some_clips(store)
    np.testing.assert_array_equal(one.motion_embeddings(clips), same.motion_embeddings(clips))


def test_saved_and_loaded_it_embeds_the_same(store, evaluator, tmp_path):
    evaluator.save(tmp_path)
    loaded = load_evaluator(tmp_path)
    assert loaded.fingerprint == evaluator.fingerprint and len(loaded.fingerprint) == 16
    assert loaded.description == evaluator.description
    clips = some_clips(store)
    for packing in ("packed", "released"):
        np.testing.assert_array_equal(
            loaded.motion_embeddings(clips, packing), evaluator.motion_embeddings(clips, packing)
        )
    sentences = ["a man bows", Caption("someone jumps and xylophones"), ""]
    np.testing.assert_array_equal(
        loaded.text_embeddings(sentences), evaluator.text_embeddings(sentences)
    )
    json.dumps(evaluator.description)
    assert evaluator.description["words"] == "learned" and evaluator.description["tags"] == "none"


@pytest.mark.parametrize("name", ["evaluator.safetensors", "words.npy", "words.json"])
def test_a_broken_evaluator_is_named(evaluator, tmp_path, name):
    evaluator.save(tmp_path)
    (tmp_path / name).write_bytes(b"no")
    with pytest.raises(UserError, match="run the evaluator stage again") as error:
        load_evaluator(tmp_path)
    assert "\n" not in str(error.value)
    (tmp_path / name).unlink()
    with pytest.raises(UserError, match="run the evaluator stage again"):
        load_evaluator(tmp_path)


def test_a_missing_evaluator_is_one_line(tmp_path):
    with pytest.raises(UserError, match=r"no evaluator here; run .*goal=evaluator"):
        load_evaluator(tmp_path / "nowhere")
    (tmp_path / "evaluator.json").write_text('{"class": "Oracle"}')
    with pytest.raises(UserError, match=r"no class 'Oracle'.*T2MEvaluator"):
        load_evaluator(tmp_path)
    (tmp_path / "evaluator.json").write_text("[]")
    with pytest.raises(UserError, match="can't be read"):
        load_evaluator(tmp_path)


def test_sentences_are_told_by_their_words_only(evaluator):
    one, same, other, unknown, unheard = evaluator.text_embeddings(
        ["A man bows.", Caption("a man, bows", "a/DET"), "a man jumps", "a man zigs", "a man zags"]
    )
    np.testing.assert_allclose(one, same, atol=1e-6)
    np.testing.assert_allclose(unknown, unheard, atol=1e-6)
    assert np.abs(one - other).max() > 0.1 and np.abs(one - unknown).max() > 0.1


def test_the_stage_leaves_an_evaluator_and_its_score(store, tmp_path):
    target = f"{T2MTraining.__module__}.T2MTraining"
    short = {**SETTINGS, "matching": {**SETTINGS["matching"], "steps": 2}}
    lines = []
    context = StageContext(
        stage="evaluator", signature="0", folder=tmp_path, parents={}, store=store, log=lines.append
    )
    stage = EvaluatorStage(OmegaConf.create({"_target_": target, **short}), seed=3)
    metrics = stage.run(context)
    own = {name for name in metrics if name.count("/") == 1}
    assert own == {"val/r_top1", "val/r_top2", "val/r_top3", "val/mm_dist"}
    assert "val/shuffled_in_time/r_top1" in metrics and "val/real/fid" in metrics
    assert (tmp_path / "evaluator" / "card.md").exists(), "its folder has its card"
    assert any("matching: step 2/2" in line and "s left" in line for line in lines)
    assert load_evaluator(tmp_path / "evaluator").description["name"] == "own"


def test_data_that_an_evaluator_cannot_learn_from(tmp_path):
    def built(name, *clips):
        return build_store(FakeSource(clips), tmp_path / name, progress=False)

    clips = [feature_clip(f"c{i}", frames=20, seed=i) for i in range(3)]
    with pytest.raises(UserError, match="1 training clips"):
        make(built("few", clips[0], feature_clip("v", "val")))
    with pytest.raises(UserError, match="no training clip has 24 frames.*autoencoder.window"):
        make(built("short", *clips), autoencoder={**SETTINGS["autoencoder"], "window": 24})


def test_equal_captions_are_no_negatives_and_far_ones_cost_nothing():
    texts = torch.tensor([[0.0, 0.0], [0.0, 0.0], [30.0, 0.0]])
    apart = ~torch.ones(3, 3, dtype=torch.bool)
    own = apart | torch.eye(3, dtype=torch.bool)
    twins = own.clone()
    twins[0, 1] = twins[1, 0] = True
    assert float(contrastive_loss(texts, texts, twins, margin=10)) == 0
    # Two of the six others lie at distance 0, each 10 short of the margin; they count as 4 * 3.
    assert float(contrastive_loss(texts, texts, own, 10)) == pytest.approx(200 / 12, rel=1e-3)
    off = texts + torch.tensor([3.0, 4.0])
    assert float(contrastive_loss(texts, off, ~apart, 10)) == pytest.approx(25)


def test_the_decoder_mirrors_the_encoder():
    sizes = T2MSizes(14, 8, 6, 10, 7, 5, 9)
    features = torch.randn(2, 24, 14)
    movements = MovementEncoder(sizes)(features)
    assert movements.shape == (2, 6, 6)
    assert MovementDecoder(sizes)(movements).shape == features.shape


def test_the_penalties_count():
    settings = AutoencoderSettings(1, 1, 1.0, sparsity=0.5, smoothness=0.25)
    features, movements = torch.zeros(1, 8, 2), torch.tensor([[[1.0], [3.0]]])
    loss = autoencoder_loss(features + 2, features, movements, settings)
    assert float(loss) == pytest.approx(2 + 0.5 * 2 + 0.25 * 2)


def test_clips_without_captions_are_left_out_of_matching(tmp_path):
    def store_of(name, told):
        mute = {"captions": ()}
        clips = [feature_clip(f"c{i}", seed=i, **({} if i < told else mute)) for i in range(5)]
        return build_store(FakeSource(clips), tmp_path / name, progress=False)

    said = []
    found = TrainingClips(store_of("some", 3), 40, said.append).captioned()
    assert found.indices.tolist() == [0, 1, 2] and len(found.lengths) == 3
    assert len(said) == 1 and "2 of 5 training clips have no caption and are left out" in said[0]
    with pytest.raises(UserError, match="few: 4 of 5 training clips have no caption; an evaluator"):
        TrainingClips(store_of("few", 1), 40, said.append).captioned()


def test_real_retrieval_leaves_clips_without_captions_out(tmp_path):
    class Near:
        """Every clip and its caption at a position of their own."""

        description: ClassVar[dict[str, int]] = {"max_frames": 196}

        def motion_embeddings(self, clips):
            return np.eye(len(clips), dtype=np.float32)

        def text_embeddings(self, captions):
            return np.eye(len(captions), dtype=np.float32)

    told = [feature_clip(f"c{i}", "val", seed=i) for i in range(32)]
    others = [feature_clip("mute", "val", captions=()), feature_clip("train")]
    store = build_store(FakeSource([*others, *told]), tmp_path / "s", progress=False)
    assert real_retrieval(Near(), store, "val", 0)["r_top1"] == 1.0
    less = build_store(FakeSource([*others, *told[1:]]), tmp_path / "t", progress=False)
    assert real_retrieval(Near(), less, "val", 0) == {}


def test_crops_are_whole_steps_of_a_clip(store):
    clips = TrainingClips(store, 40, print)
    draw = np.random.default_rng(0)
    position = int(np.argmax(clips.lengths))
    crops = [clips.crop(position, draw) for _ in range(60)]
    whole = store.features(int(clips.indices[position]))
    normalised = (whole - store.mean) / store.std
    assert {len(crop) for crop in crops} == {36, 40}
    for crop in crops:
        starts = [s for s in range(5) if np.array_equal(normalised[s : s + len(crop)], crop)]
        assert len(starts) == 1


def test_an_epoch_has_every_clip_once_and_lengths_together(store):
    clips = TrainingClips(store, 40, print)
    batches = clips.batches(12, np.random.default_rng(0))
    epoch = [next(batches) for _ in range(12)]
    assert sorted(np.concatenate(epoch)) == list(range(144))
    spread = np.mean([np.ptp(clips.lengths[batch]) for batch in epoch])
    assert spread < 0.6 * np.ptp(clips.lengths)
    assert len(next(clips.batches(500, np.random.default_rng(0)))) == 144


def test_words_are_learned_dropped_and_categorised():
    words = LearnedWords(["A man bows left", "a man, BOWS", "oddly"], 4, rare=2, dropout=0.0)
    assert set(words.indices) == {"unk", "sos", "eos", "a", "man", "bows"}
    rows, categories, lengths = words.batch(
        ["a man bows oddly", "man"], 3, np.random.default_rng(0)
    )
    names = {index: word for word, index in words.indices.items()}
    assert [names[int(row)] for row in rows[0]] == ["sos", "a", "man", "bows", "eos"]
    assert lengths.tolist() == [5, 3] and categories.shape == (2, 5, len(CATEGORIES))
    expected = words.vectors().embed(["sos/OTHER", "man/OTHER", "eos/OTHER"])
    np.testing.assert_array_equal(words.embedding(rows)[1, :3].detach().numpy(), expected[0])
    np.testing.assert_array_equal(categories[1, :3].numpy(), expected[1])
    words.dropout = 1.0
    rows, _, _ = words.batch(["a man bows"], 3, np.random.default_rng(0))
    assert [names[int(row)] for row in rows[0]] == ["sos", "unk", "unk", "unk", "eos"]


def test_the_learning_rate_rises_and_falls_to_zero():
    rates = [rate(step, 100) for step in range(101)]
    assert rates[0] < 0.1 and max(rates) == pytest.approx(1) and rates[100] == pytest.approx(0)
    assert np.argmax(rates) == 10 and np.all(np.diff(rates[10:]) < 0)
    assert rate(0, 1) > 0
