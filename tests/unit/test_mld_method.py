import dataclasses
import json
import math

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from motiongpt.codecs.base import Gaussian
from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption
from motiongpt.errors import UserError
from motiongpt.methods.base import MOTION_TO_TEXT, TEXT_TO_MOTION, MotionFormat, Request
from motiongpt.methods.mld import method as method_module
from motiongpt.methods.mld import stage as stage_module
from motiongpt.methods.mld.examples import LatentExamples, collate, encoded_clips
from motiongpt.methods.mld.folder import TrainedDenoiser
from motiongpt.methods.mld.method import MLD, Sampling
from motiongpt.methods.mld.stage import MLDStage
from motiongpt.motion.skeleton import HUMANML3D
from motiongpt.training.stage import Hardware, StageContext
from tests.shared import ROOT
from tests.unit.fake_source import FakeSource, feature_clip
from tests.unit.mld_parts import (
    LONGEST,
    WIDTH,
    FakeTextEncoder,
    small_codec,
    small_denoiser,
    small_method,
)
from tests.unit.tiny_models import tiny_tokenizer

FORMAT = MotionFormat(20.0, HUMANML3D)
REQUESTS = [
    Request("a", TEXT_TO_MOTION, "a person walks", 30),
    Request("b", TEXT_TO_MOTION, "a person jumps", 11),
    Request("c", TEXT_TO_MOTION, "a person walks", 58),
    Request("d", TEXT_TO_MOTION, "", None),
    Request("e", TEXT_TO_MOTION, "a person sits", 1),
]


def motions(method: MLD, requests=REQUESTS, seed: int = 3) -> list[np.ndarray]:
    return [output.motion for output in method.generate(requests, seed)]


def test_motions_are_as_long_as_asked_and_differ_by_words():
    found = motions(small_method())
    assert [len(motion) for motion in found[:3]] == [30, 11, 58] and len(found[4]) == 1
    assert all(motion.dtype == np.float32 and motion.shape[1] == 263 for motion in found)
    assert np.isfinite(np.concatenate(found)).all()
    assert np.abs(found[0][:11] - found[1]).max() > 1e-2


def test_the_seed_decides_and_the_batch_does_not():
    method = small_method()
    together = motions(method)
    again = motions(method)
    others = motions(method, seed=4)
    for first, second, other in zip(together, again, others, strict=True):
        np.testing.assert_array_equal(first, second)
        assert len(first) != len(other) or np.abs(first - other).max() > 1e-3
    small_batches = motions(small_method(batch_size=2), REQUESTS[::-1])[::-1]
    for request, expected, portion in zip(REQUESTS, together, small_batches, strict=True):
        (alone,) = motions(method, [request])
        np.testing.assert_allclose(alone, expected, atol=2e-4)
        np.testing.assert_allclose(portion, expected, atol=2e-4)


def test_samples_of_the_same_words_differ():
    requests = [dataclasses.replace(REQUESTS[0], sample=sample) for sample in range(2)]
    first, second = motions(small_method(), requests)
    assert np.abs(first - second).max() > 1e-3


def test_without_a_length_one_of_training_is_drawn_by_the_requests_stream():
    method = small_method()
    requests = [Request(str(n), TEXT_TO_MOTION, "walk", None) for n in range(40)]
    lengths = [len(motion) for motion in motions(method, requests)]
    assert set(lengths) == {9, 20, 31, 44}
    assert lengths == [len(motion) for motion in motions(method, requests[::-1])][::-1]
    assert {len(m) for m in motions(small_method(length=17), requests[:3])} == {17}


@pytest.mark.parametrize(
    ("request_", "named"),
    [
        (Request("x", MOTION_TO_TEXT), "cannot do motion_to_text; it can: text_to_motion"),
        (Request("x", TEXT_TO_MOTION, None, 20), "clip x: text_to_motion needs a text"),
        (Request("x", TEXT_TO_MOTION, "walk", LONGEST + 1), "clip x: 59 frames asked for"),
        (Request("x", TEXT_TO_MOTION, "walk", 0), "clip x: 0 frames asked for"),
    ],
)
def test_what_it_cannot_do_is_refused_by_name(request_, named):
    with pytest.raises(UserError, match=named):
        small_method().generate([request_], 0)


def test_nothing_asked_is_nothing_given():
    assert small_method().generate([], 0) == []


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"length": "long"}, "length=long"),
        ({"length": 0}, "length=0"),
        ({"length": True}, "length=True"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"steps": 1000}, "choose 1 to 999"),
    ],
)
def test_options_that_there_are_not_are_refused(options, named):
    with pytest.raises(UserError, match=named):
        small_method(**options)


def test_an_unknown_option_is_answered_with_the_known_ones():
    said = "no option temperature; it has: steps, guidance, length, batch_size"
    with pytest.raises(UserError, match=said):
        MLD.load({}, MotionFormat(20.0, HUMANML3D), temperature=1)


def test_parts_of_different_trainings_are_refused():
    parts = small_method()
    with pytest.raises(UserError, match="latents of 1 x 16 numbers, the codec has 1 x 32"):
        MLD(small_codec(width=32), parts.denoiser, parts.text_encoder)
    other = dataclasses.replace(parts.denoiser, network=small_denoiser(text_width=10))
    with pytest.raises(UserError, match="texts of 10 numbers, the text encoder has 12"):
        MLD(parts.codec, other, parts.text_encoder)


def test_a_saved_denoiser_is_the_same_and_a_damaged_one_is_named(tmp_path):
    trained = small_method().denoiser
    trained.save(tmp_path)
    again = TrainedDenoiser.load(tmp_path)
    for name, tensor in trained.network.state_dict().items():
        assert torch.equal(again.network.state_dict()[name], tensor), name
    np.testing.assert_array_equal(again.lengths, trained.lengths)
    assert again.schedule.arguments() == trained.schedule.arguments()
    assert not again.network.training
    with pytest.raises(UserError, match="no such file"):
        TrainedDenoiser.load(tmp_path / "nowhere")
    np.save(tmp_path / "lengths.npy", np.array([0.5]))
    with pytest.raises(UserError, match="lengths.npy: expected frames"):
        TrainedDenoiser.load(tmp_path)
    described = json.loads((tmp_path / "denoiser.json").read_text())
    (tmp_path / "denoiser.json").write_text(json.dumps(described | {"method": "mdm"}))
    with pytest.raises(UserError, match="of method mdm, format 1; expected mld, 1"):
        TrainedDenoiser.load(tmp_path)
    (tmp_path / "denoiser.json").write_text("{}")
    with pytest.raises(UserError, match="not a denoiser's description"):
        TrainedDenoiser.load(tmp_path)


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    captions = (Caption("one"), Caption("two"), Caption("three"))
    clips = [
        feature_clip("first", "train", 40, 0, captions=captions),
        feature_clip("second", "train", 90, 1),
        feature_clip("checked", "val", 50, 3),
        feature_clip("tested", "test", 50, 4),
    ]
    return build_store(FakeSource(clips), tmp_path_factory.mktemp("mld") / "s", progress=False)


def examples_of(store, latent="sampled", drop_text=0.25) -> LatentExamples:
    shape = (len(store), 1, WIDTH)
    latents = {
        i: Gaussian(torch.full(shape[1:], float(i)), torch.ones(shape[1:])) for i in range(4)
    }
    texts = {"one": 0, "two": 1, "three": 2, "caption of second": 3, "caption of checked": 4}
    return LatentExamples(store, latents, torch.eye(5), texts, latent, drop_text, 1000)


def test_an_example_is_its_keys(store):
    examples = examples_of(store)
    for first, second in zip(examples[0, 7], examples[0, 7], strict=True):
        assert torch.equal(first, second)
    batch = collate([examples[1, seed] for seed in range(2000)])
    assert batch.latents.shape == batch.noise.shape == (2000, 1, WIDTH)
    assert batch.latents.mean().item() == pytest.approx(1.0, abs=0.05)
    assert batch.latents.std().item() == pytest.approx(1.0, abs=0.05)
    assert batch.noise.std().item() == pytest.approx(1.0, abs=0.05)
    assert abs((batch.noise * (batch.latents - 1)).mean().item()) < 0.03
    assert batch.dropped.float().mean().item() == pytest.approx(0.25, abs=0.04)
    assert batch.steps.min() < 10 and batch.steps.max() > 990
    mean = collate([examples_of(store, "mean")[1, seed] for seed in range(9)]).latents
    assert torch.equal(mean, torch.ones(9, 1, WIDTH))
    captions = collate([examples[0, seed] for seed in range(60)]).texts.argmax(1)
    assert set(captions.tolist()) == {0, 1, 2}


def test_settings_that_there_are_not_are_refused(store):
    with pytest.raises(UserError, match="latent=median; choose one of: sampled, mean"):
        examples_of(store, latent="median")
    with pytest.raises(UserError, match="drop_text=1.5"):
        examples_of(store, drop_text=1.5)


def test_latents_are_those_of_each_clip_up_to_the_longest(store):
    codec = small_codec()
    found = encoded_clips(store, codec)
    assert sorted(found) == [0, 1, 2]
    ((mean, std),) = codec.encode([store.features(1)[:LONGEST]])
    np.testing.assert_allclose(found[1].mean, mean, atol=1e-5)
    np.testing.assert_allclose(found[1].std, std, atol=1e-5)


def stage_settings(name: str) -> dict:
    """What conf/stage says, with small numbers in the places of what other groups say."""
    shared_by = OmegaConf.load(ROOT / "conf" / "stage" / "_mld.yaml")
    settings = OmegaConf.merge(shared_by, OmegaConf.load(ROOT / "conf" / "stage" / f"{name}.yaml"))
    for key in ("defaults", "_target_", "version", "parents", "hardware", "_unsigned_"):
        if key in settings:
            del settings[key]
    denoiser = OmegaConf.load(ROOT / "conf" / "denoiser" / "mld.yaml")
    denoiser.update(feed_forward=32, layers=3, positions=8)
    optimizer = {"_target_": "torch.optim.AdamW", "_partial_": True}
    scheduler = OmegaConf.load(ROOT / "conf" / "scheduler" / "constant.yaml")
    settings.update(denoiser=denoiser, optimizer=optimizer, scheduler=scheduler, seed=5)
    settings.schedule.update(
        steps=4, batch_size=2, validate_every=2, checkpoint_every=2, precision="32-true"
    )
    return {key: settings[key] for key in settings}


@pytest.mark.filterwarnings("ignore")
def test_the_stage_trains_what_the_method_opens(store, tmp_path, monkeypatch):
    for module in (stage_module, method_module):
        monkeypatch.setattr(module, "load_text_encoder", lambda folder, device: FakeTextEncoder())
    small_codec().save(tmp_path / "codec" / "model")
    parents = {name: tmp_path / name for name in ("codec", "text_encoder")}

    def run(folder):
        context = StageContext(
            "mld", "s", folder, parents, store, hardware=Hardware("cpu"), log=lambda line: None
        )
        return MLDStage(**stage_settings("mld")).run(context)

    metrics = run(tmp_path / "run")
    assert np.isfinite(metrics["val/loss"]) and np.isfinite(metrics["train/loss"])
    assert run(tmp_path / "again") == metrics
    folders = {
        "codec": parents["codec"] / "model",
        "denoiser": tmp_path / "run" / "model",
        "text_encoder": parents["text_encoder"] / "model",
    }
    method = MLD.load(folders, FORMAT, steps=4)
    assert method.longest == LONGEST and method.sampling == Sampling(steps=4)
    assert method.denoiser.lengths.tolist() == [40, LONGEST]
    assert [len(motion) for motion in motions(method, REQUESTS[:3])] == [30, 11, 58]
    with pytest.raises(UserError, match="method mld needs its part 'denoiser'"):
        MLD.load({name: folders[name] for name in ("codec", "text_encoder")}, FORMAT)
    tiny_tokenizer().save(tmp_path / "tokenizer")
    with pytest.raises(UserError, match="tokenizer.json: it is of another kind"):
        MLD.load(folders | {"codec": tmp_path / "tokenizer"}, FORMAT)


def test_a_motion_ends_where_the_request_says_at_the_latest():
    asked = [Request(f"clip {n}", TEXT_TO_MOTION, "walk", max_frames=9) for n in range(9)]
    assert {len(motion) for motion in motions(small_method(), asked)} == {9}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"steps": 0}, "steps=0; expected a number, 1 or more"),
        ({"steps": 2.5}, "steps=2.5"),
        ({"steps": 1000, "trained_steps": 1000}, "steps=1000; choose 1 to 999"),
        ({"guidance": math.nan}, "guidance=nan; expected a finite number"),
    ],
)
def test_sampling_that_makes_no_sense_is_said_before_anything_is_trained(options, said):
    with pytest.raises(UserError, match=said):
        MLD.foresee(**options)
