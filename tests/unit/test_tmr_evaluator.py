"""TMR learns on a toy data set, sees time, is the same for one seed, and survives saving."""

import itertools
import json

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from evaluation.evaluator_stage import EvaluatorStage, real_retrieval
from evaluation.evaluators.loading import load_evaluator
from evaluation.evaluators.tmr_captions import CaptionReader
from evaluation.evaluators.tmr_evaluator import TMREvaluator
from evaluation.evaluators.tmr_losses import contrastive_loss, look_alikes, order_loss
from evaluation.evaluators.tmr_networks import TMRNetworks, TMRSizes
from evaluation.evaluators.tmr_training import TMRTraining
from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption, Clip
from motiongpt.errors import UserError
from motiongpt.text_encoders.small import train_small
from motiongpt.training.stage import StageContext
from tests.unit.fake_source import FakeSource

VERBS = ("bows", "claps", "hops", "jumps", "kicks", "runs")
FEATURE = {verb: 10 * index for index, verb in enumerate(VERBS, start=1)}
SIZES = {"width": 32, "layers": 1, "heads": 2, "feed_forward": 32, "max_frames": 40}
LOSSES = {"reconstruction": 0.0, "contrastive": 1.0, "order": 1.0, "threshold": 0.9999}
TRAINING = {"steps": 200, "batch_size": 24, "learning_rate": 1e-3}
ENCODER = {
    **{"width": 16, "layers": 1, "heads": 2, "feed_forward_width": 16, "dropout": 0.0},
    **{"text_tokens": 400, "max_tokens": 20, "steps": 20, "batch_size": 16},
    **{"learning_rate": 3e-3, "temperature": 0.1, "words": 1.0, "word_dropout": 0.1},
}


def clip_of(name, split, verbs, rng):
    """Noise, what rises as time goes on, and a bump for each verb in the feature that is its own."""
    features = 0.1 * rng.normal(size=(int(rng.integers(24, 40)), 263)).astype(np.float32)
    part = len(features) // len(verbs)
    features[:, 100:140] += np.linspace(0, 4, len(features), dtype=np.float32)[:, None]
    for position, verb in enumerate(verbs):
        features[position * part :][:part, FEATURE[verb] : FEATURE[verb] + 8] += 2
    said = " then ".join(verbs)
    captions = (Caption(f"A man {said}."), Caption(f"someone {said}"))
    return Clip(name, split, captions, features=features)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    rng = np.random.default_rng(0)
    pairs = list(itertools.permutations(VERBS, 2))  # 30 different things to do
    clips = [
        clip_of(f"{split}{i}", split, pairs[i % len(pairs)], rng)
        for split, count in (("train", 120), ("val", 40))
        for i in range(count)
    ]
    return build_store(FakeSource(clips), tmp_path_factory.mktemp("toy") / "store", progress=False)


def encoder_of(captions, seed, log):
    return train_small(captions, seed, log, **ENCODER)


def source(**changes):
    settings = {
        "text_encoder": encoder_of,
        "sentence_encoder": None,
        "sizes": {**SIZES, "frames_per_token": 2, "variational": False, "order": True},
        "dropout": 0.0,
        "losses": LOSSES,
        "hard_negatives": ["shuffled"],
        "hard_from": 0.5,
        "training": TRAINING,
    }
    return TMRTraining(**{**settings, **changes})


@pytest.fixture(scope="module")
def evaluator(store):
    return source().make(store, 0, lambda line: None)


def some_clips(store):
    return [store.features(int(index), stop=40) for index in store.indices("val")]


def shuffled_in_time(clips):
    rng = np.random.default_rng(5)
    return [rng.permutation(clip) for clip in clips]


class Shuffled(TMREvaluator):
    """Sees every clip shuffled."""

    def motion_embeddings(self, features, packing="packed"):
        return super().motion_embeddings(shuffled_in_time(features), packing)


def test_it_finds_real_motion_and_not_the_same_frames_shuffled(store, evaluator, tmp_path):
    found = real_retrieval(evaluator, store, "val", seed=0)["r_top1"]
    evaluator.save(tmp_path)
    blind = real_retrieval(Shuffled.load(tmp_path), store, "val", seed=0)["r_top1"]
    assert found > 0.5, "chance is 1/32"
    assert blind < found / 5


def test_a_caption_is_nearer_to_its_clip_than_to_the_clip_shuffled(store, evaluator):
    clips = some_clips(store)
    texts = evaluator.text_embeddings([store.captions(int(i))[0] for i in store.indices("val")])
    near = np.linalg.norm(texts - evaluator.motion_embeddings(clips), axis=1)
    far = np.linalg.norm(texts - evaluator.motion_embeddings(shuffled_in_time(clips)), axis=1)
    assert (near < far).mean() > 0.9


def test_frames_out_of_order_embed_as_such_and_nothing_else(store, evaluator):
    clips, draw = some_clips(store), np.random.default_rng(2)
    real = evaluator.motion_embeddings(clips)[:, -1]
    assert real.max() < 0.4, "after few steps not yet 0"
    noisy = [clip + 0.1 * store.std * draw.normal(size=clip.shape) for clip in clips]
    assert evaluator.motion_embeddings(noisy)[:, -1].mean() < real.mean() + 0.1
    found = evaluator.motion_embeddings(shuffled_in_time(clips))
    assert (found[:, -1] == 1).mean() > 0.9
    assert not found[found[:, -1] == 1, :-1].any()
    assert not evaluator.text_embeddings(["a man bows"])[:, -1].any()


def test_without_a_head_an_embedding_is_the_latent(store):
    networks = TMRNetworks(TMRSizes(text_width=16, **SIZES)).eval()
    clip = torch.randn(1, 20, 263)
    lengths = torch.tensor([20])
    found = networks.embed_motion(clip, lengths)
    latent = networks.encode_motion(clip, lengths).mean
    torch.testing.assert_close(found, torch.nn.functional.normalize(latent, dim=-1))
    assert networks.disorder(clip, lengths) is None


def test_the_order_head_is_taught_what_differs():
    zero, counts = torch.zeros(3), torch.tensor([True, False, False])
    assert float(order_loss(zero, zero, counts)) == pytest.approx(np.log(2))
    sure = order_loss(zero - 20, torch.tensor([20.0, -20.0, -20.0]), counts)
    assert float(sure) == pytest.approx(0, abs=1e-6)


def test_captions_are_remembered_and_read_the_same(store):
    encoder = encoder_of([["a man bows", "a man bows slowly"]], 0, lambda line: None)
    reader, texts = CaptionReader(encoder), ["a man bows", "", "a man bows slowly", "a man bows"]
    first, again = reader.read(texts), reader.read(texts[::-1])
    np.testing.assert_array_equal(first.lengths.numpy()[::-1], again.lengths.numpy())
    torch.testing.assert_close(first.whole.flip(0), again.whole)
    torch.testing.assert_close(first.tokens.flip(0), again.tokens)
    tokens, mask = encoder.encode_tokens(texts)
    torch.testing.assert_close(first.tokens, tokens, atol=1e-5, rtol=1e-5)
    assert first.lengths.tolist() == mask.sum(1).tolist()


def test_embeddings_depend_on_their_clip_alone_and_nothing_is_drawn(store, evaluator):
    clips = some_clips(store)[:9]
    found = evaluator.motion_embeddings(clips)
    np.testing.assert_array_equal(evaluator.motion_embeddings(clips), found)
    order = [3, 5, 0, 8, 1, 4, 2, 7, 6]
    other = evaluator.motion_embeddings([clips[i] for i in order])
    np.testing.assert_allclose(other, found[order], atol=2e-6)
    alone = np.concatenate([evaluator.motion_embeddings([clip]) for clip in clips])
    np.testing.assert_allclose(alone, found, atol=2e-6)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    texts = ["a man bows then kicks", "someone hops", "", "a man claps then runs"]
    together = evaluator.text_embeddings(texts)
    apart = np.concatenate([evaluator.text_embeddings([text]) for text in texts])
    np.testing.assert_allclose(together, apart, atol=2e-6)


def test_released_packing_lets_the_padding_count(store, evaluator):
    short, long = some_clips(store)[0][:24], some_clips(store)[1]
    alone = evaluator.motion_embeddings([short], packing="released")
    beside = evaluator.motion_embeddings([short, np.tile(long, (2, 1))[:40]], packing="released")
    assert np.abs(alone - beside[0]).max() > 1e-4
    np.testing.assert_allclose(alone, evaluator.motion_embeddings([short]), atol=2e-6)
    with pytest.raises(UserError, match="packing 'tight': expected packed or released"):
        evaluator.motion_embeddings([short], packing="tight")


def test_one_seed_gives_one_evaluator(store):
    short = source(training={**TRAINING, "steps": 3})
    one, same, other = (short.make(store, seed, lambda line: None) for seed in (0, 0, 1))
    assert one.fingerprint == same.fingerprint != other.fingerprint
    clips = some_clips(store)
    np.testing.assert_array_equal(one.motion_embeddings(clips), same.motion_embeddings(clips))


def test_saved_and_loaded_it_embeds_the_same(store, evaluator, tmp_path):
    evaluator.save(tmp_path)
    loaded = load_evaluator(tmp_path)
    assert loaded.fingerprint == evaluator.fingerprint and len(loaded.fingerprint) == 16
    assert loaded.description == evaluator.description
    clips = some_clips(store)
    np.testing.assert_array_equal(
        loaded.motion_embeddings(clips), evaluator.motion_embeddings(clips)
    )
    sentences = ["a man bows", Caption("someone jumps and xylophones"), ""]
    np.testing.assert_array_equal(
        loaded.text_embeddings(sentences), evaluator.text_embeddings(sentences)
    )
    long = "a man bows then claps"
    np.testing.assert_array_equal(
        loaded.text_embeddings([long], max_words=3), loaded.text_embeddings(["a man bows"])
    )
    json.dumps(evaluator.description)
    assert evaluator.description["name"] == "tmr" and evaluator.description["max_frames"] == 40


@pytest.mark.parametrize("name", ["evaluator.safetensors", "text_encoder/text_encoder.json"])
def test_a_broken_evaluator_is_named(evaluator, tmp_path, name):
    evaluator.save(tmp_path)
    (tmp_path / name).write_bytes(b"no")
    with pytest.raises(UserError, match="run the evaluator stage again") as error:
        load_evaluator(tmp_path)
    assert "\n" not in str(error.value)
    (tmp_path / name).unlink()
    with pytest.raises(UserError, match="run the evaluator stage again"):
        load_evaluator(tmp_path)


@pytest.mark.parametrize(
    ("clip", "said"),
    [
        (np.zeros((5, 4)), r"clip 1: shape \(5, 4\); expected \(frames, 263\)"),
        (np.zeros((0, 263)), "clip 1: 0 frames; the TMR evaluator takes 1 to 40"),
        (np.zeros((41, 263)), "clip 1: 41 frames"),
        (np.full((5, 263), np.nan), "clip 1: frame 0 holds NaN"),
    ],
)
def test_motion_that_it_cannot_embed_is_named(evaluator, clip, said):
    with pytest.raises(UserError, match=said):
        evaluator.motion_embeddings([np.zeros((5, 263)), clip])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"hard_negatives": ["upside_down"]},
            "upside_down; choose of shuffled, reversed, mirrored",
        ),
        ({"losses": {**LOSSES, "threshold": 0.4}}, "evaluator.losses.threshold=0.4"),
        ({"losses": {**LOSSES, "threshold": 1.4}}, "evaluator.losses.threshold=1.4"),
        ({"losses": {**LOSSES, "contrastive": 0.0}}, "evaluator.losses.contrastive=0"),
        ({"sizes": {**SIZES, "width": 33}}, "evaluator.sizes.width=33"),
        ({"losses": {**LOSSES, "order": 0.0}}, "evaluator.losses.order=0: the order head would"),
    ],
)
def test_settings_that_make_no_evaluator_are_refused_ahead(changes, said):
    with pytest.raises(UserError, match=said):
        source(**changes)


def test_statistics_and_words_have_to_fit():
    networks = TMRNetworks(TMRSizes(text_width=16, **SIZES))
    encoder = encoder_of([["a man bows", "a man"]], 0, lambda line: None)
    ones = np.ones(263, np.float32)
    with pytest.raises(UserError, match=r"mean of shape \(4,\)"):
        TMREvaluator(networks, ones[:4], ones, encoder)
    other = TMRNetworks(TMRSizes(text_width=17, **SIZES))
    with pytest.raises(
        UserError, match="a text encoder of width 16; its own text encoder reads 17"
    ):
        TMREvaluator(other, ones, ones, encoder)


def test_the_stage_leaves_an_evaluator_and_its_score(store, tmp_path):
    target = f"{TMRTraining.__module__}.TMRTraining"
    node = {"_target_": "motiongpt.text_encoders.small.train_small", "_partial_": True, **ENCODER}
    settings = {
        "text_encoder": node,
        "sentence_encoder": None,
        "sizes": SIZES,
        "dropout": 0.1,
        "losses": {"reconstruction": 1.0, "threshold": 0.9},
        "hard_negatives": ["shuffled", "reversed", "mirrored"],
        "hard_from": 0.0,
        "training": {**TRAINING, "steps": 2},
    }
    lines = []
    context = StageContext(
        stage="evaluator", signature="0", folder=tmp_path, parents={}, store=store, log=lines.append
    )
    stage = EvaluatorStage(OmegaConf.create({"_target_": target, **settings}), seed=3)
    metrics = stage.run(context)
    assert set(metrics) > {"val/r_top1", "val/r_top2", "val/r_top3", "val/mm_dist"}
    assert any("training: step 2/2" in line and "s left" in line for line in lines)
    loaded = load_evaluator(tmp_path / "evaluator")
    assert loaded.description["hard_negatives"] == ["shuffled", "reversed", "mirrored"]
    assert loaded.networks.motion_decoder is not None


def test_a_perturbed_clip_is_a_negative_of_its_own_caption_alone():
    texts, motions = torch.eye(3), torch.eye(3)
    plain = contrastive_loss(texts, motions, 0.5)
    perturbed = torch.eye(3)[[0, 1, 0]]
    none = contrastive_loss(texts, motions, 0.5, None, perturbed, torch.zeros(3, dtype=torch.bool))
    torch.testing.assert_close(none, plain)
    # Of the third caption the perturbed clip is at a right angle: one more candidate like others.
    third = torch.tensor([False, False, True])
    e = np.exp(2.0)
    row = np.log((e + 3) / (e + 2)) / 3 / 2
    found = contrastive_loss(texts, motions, 0.5, None, perturbed, third)
    assert float(found - plain) == pytest.approx(row, rel=1e-5)


def test_look_alike_captions_are_not_told_apart():
    sentences = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    alike = look_alikes(sentences, 0.9)
    assert alike.tolist() == [[False, True, False], [True, False, False], [False, False, False]]
    motions = torch.eye(3)
    less = contrastive_loss(motions, motions, 1.0, alike)
    assert float(less) < float(contrastive_loss(motions, motions, 1.0))


def test_clips_longer_than_a_token_are_grouped_and_decoded_to_their_length():
    networks = TMRNetworks(TMRSizes(n_features=6, text_width=8, **SIZES, frames_per_token=4)).eval()
    lengths = torch.tensor([9, 4])
    features = torch.randn(2, 9, 6)
    features[1, 4:] = 0
    decoded = networks.decode(networks.encode_motion(features, lengths).mean, lengths)
    assert decoded.shape == (2, 9, 6) and not decoded[1, 4:].any() and decoded[0, 8].any()
    longer = torch.nn.functional.pad(features, (0, 0, 0, 7))
    torch.testing.assert_close(
        networks.encode_motion(longer, lengths).mean,
        networks.encode_motion(features, lengths).mean,
        atol=1e-5,
        rtol=1e-5,
    )
