"""The training of MDM: what is drawn, resumed, averaged, cached and shared by processes."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from safetensors.torch import load_file

from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.methods.base import TEXT_TO_MOTION, MotionFormat, Request
from motiongpt.methods.mdm import method as methods
from motiongpt.methods.mdm import stage as stages
from motiongpt.methods.mdm.examples import Cutting, MotionExamples, collate
from motiongpt.methods.mdm.folder import TrainedMotionDenoiser
from motiongpt.methods.mdm.losses import Losses
from motiongpt.methods.mdm.module import MotionDiffusionModule
from motiongpt.motion.skeleton import HUMANML3D
from motiongpt.text_encoders.texts import by_caption, captions_of, embedded
from motiongpt.training.sampler import fixed_keys
from motiongpt.training.stage import Hardware, Processes, StageContext
from motiongpt.training.stopping import Interrupted, StopRequest
from tests.together import run_together
from tests.unit.fake_text_encoder import FakeTextEncoder, load_fake, save_fake
from tests.unit.test_t2m_gpt_stage import ADAMW, STEADY, make_store

STEPS, LONGEST = 6, 50


def make_stage(average: float | None = 0.9, **settings: object) -> stages.MDMStage:
    denoiser = {
        "_target_": "motiongpt.methods.mdm.network.MotionDenoiser",
        "_partial_": True,
        **{"frames": LONGEST, "width": 16, "feed_forward": 16, "layers": 1, "heads": 2},
        **settings.pop("denoiser", {}),
    }
    schedule = {"steps": STEPS, "batch_size": 4, "validate_every": 3, "checkpoint_every": 100}
    arguments = {
        "denoiser": denoiser,
        "noise": {"steps": 30, "kind": "cosine"},
        "losses": {"velocity": 0.1, "velocity_features": "all"},
        "drop_text": 0.3,
        "unit": 4,
        "average": average,
        "optimizer": ADAMW,
        "scheduler": STEADY,
        "learning_rate": 1e-2,
        "schedule": schedule,
        "seed": 1,
    }
    return stages.MDMStage(**OmegaConf.create({**arguments, **settings}))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mdm")
    make_store(folder / "store")
    save_fake(folder / "text_encoder" / "model")
    return folder


def context_at(made: Path, folder: Path, **settings: object) -> StageContext:
    folder.mkdir(parents=True, exist_ok=True)
    usual = StageContext(
        stage="mdm",
        signature="",
        folder=folder,
        parents={"text_encoder": made / "text_encoder"},
        store=MotionStore.open(made / "store"),
        hardware=Hardware(accelerator="cpu"),
        log=str,
    )
    return replace(usual, **settings)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model" / "denoiser.safetensors")


@pytest.fixture(autouse=True)
def fake_text_encoder(monkeypatch):
    for module in (stages, methods):
        monkeypatch.setattr(module, "load_text_encoder", load_fake)


@pytest.fixture(scope="module")
def undisturbed(made, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "load_text_encoder", load_fake)
        folder = tmp_path_factory.mktemp("undisturbed")
        return folder, make_stage().run(context_at(made, folder))


def examples_of(store: MotionStore, cutting: Cutting) -> MotionExamples:
    captions = captions_of(store)
    texts = by_caption(captions, embedded(FakeTextEncoder(), captions, words=False))
    return MotionExamples(store, texts, cutting, 0.3, 30)


def test_it_leaves_what_the_method_opens_and_the_whole_validations_loss(made, undisturbed):
    folder, metrics = undisturbed
    trained = TrainedMotionDenoiser.load(folder / "model")
    store = MotionStore.open(made / "store")
    examples = examples_of(store, Cutting(LONGEST, 4))
    batch = collate([examples[key] for key in fixed_keys(store.indices("val"), seed=1)])
    noisy = trained.schedule.add_noise(batch.motion, batch.noise, batch.steps)
    with torch.no_grad():
        found = trained.network(noisy, batch.steps, batch.texts, batch.lengths)
    losses = Losses(0.1).of_rows(found, batch.motion, batch.lengths)
    assert metrics["val/loss"] == pytest.approx(float(losses.mean()), rel=1e-5)
    assert set(metrics) == {"train/loss", "val/loss"}
    np.testing.assert_array_equal(trained.mean, store.mean)
    assert trained.lengths.tolist() == sorted(
        min(int(store.lengths[i]), LONGEST) for i in store.indices("train")
    )
    folders = {"denoiser": folder / "model", "text_encoder": made / "text_encoder" / "model"}
    method = methods.MDM.load(folders, MotionFormat(20.0, HUMANML3D), steps=3)
    (output,) = method.generate([Request("a", TEXT_TO_MOTION, "someone moves", 21)], 0)
    assert output.motion.shape == (21, 263) and method.longest == LONGEST
    with pytest.raises(UserError, match="method mdm needs its part 'denoiser'"):
        methods.MDM.load({"text_encoder": folders["text_encoder"]}, MotionFormat(20.0, HUMANML3D))


@pytest.mark.parametrize("average", [0.9, None])
def test_a_resumed_training_ends_with_the_same_weights(made, undisturbed, tmp_path, average):
    stop = StopRequest()

    class Module(MotionDiffusionModule):
        def training_step(self, batch, batch_idx):
            if self.trainer.global_step == 1:
                stop.signal = 15
            return super().training_step(batch, batch_idx)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("motiongpt.methods.mdm.module.MotionDiffusionModule", Module)
        with pytest.raises(Interrupted):
            make_stage(average).run(context_at(made, tmp_path, stop=stop))
    assert not (tmp_path / "model").exists()
    metrics = make_stage(average).run(context_at(made, tmp_path))
    folder, expected = undisturbed
    if average is None:
        folder = tmp_path / "whole"
        expected = make_stage(average).run(context_at(made, folder))
        assert metrics["val/loss"] != undisturbed[1]["val/loss"]
    assert metrics == expected
    found, wanted = weights(tmp_path), weights(folder)
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_captions_are_read_once_for_all_runs(made, undisturbed, tmp_path, monkeypatch):
    encoder = FakeTextEncoder()
    monkeypatch.setattr(stages, "load_text_encoder", lambda folder, device: encoder)
    for run in ("one", "two"):
        context = context_at(made, tmp_path / run, cache=tmp_path / "cache")
        assert make_stage().run(context) == undisturbed[1]
    asked = [text for texts in encoder.asked for text in texts]
    assert len(asked) == len(set(asked)) == 12 + 5 + 1


def test_an_example_is_its_keys(made):
    store = MotionStore.open(made / "store")
    examples = examples_of(store, Cutting(LONGEST, 4))
    index = int(store.indices("train")[3])
    for one, two in zip(examples[index, 7], examples[index, 7], strict=True):
        assert torch.equal(torch.as_tensor(one), torch.as_tensor(two))
    found = [examples[index, seed] for seed in range(600)]
    length = min(int(store.lengths[index]), LONGEST) // 4 * 4
    shares = {n: sum(one.frames == n for one in found) / 600 for n in (length, length - 4)}
    assert sum(shares.values()) == 1 and shares[length - 4] == pytest.approx(1 / 3, abs=0.06)
    assert np.mean([one.dropped for one in found]) == pytest.approx(0.3, abs=0.06)
    assert {one.step for one in found} == set(range(30))
    whole = (store.features(index) - store.mean) / store.std
    starts = {tuple(one.motion[0].tolist()) for one in found}
    assert starts <= {tuple(row.tolist()) for row in whole} and len(starts) > 2
    batch = collate(found[:9])
    assert batch.motion.shape[1] == int(batch.lengths.max()) and batch.noise.std() > 0.9
    kept = examples_of(store, Cutting(LONGEST))[index, 7]
    assert kept.frames == min(len(whole), LONGEST)
    begun = int(np.abs(whole - kept.motion[0].numpy()).sum(1).argmin())
    np.testing.assert_allclose(kept.motion, whole[begun : begun + kept.frames], atol=1e-5)
    filled = examples_of(store, Cutting(LONGEST, 4, filled_up=True))[index, 7]
    assert len(filled.motion) == len(filled.noise) == LONGEST
    assert not filled.motion[filled.frames :].any() and filled.noise[filled.frames :].any()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"drop_text": 1.5}, "stage.mdm.drop_text=1.5 must lie between 0 and 1"),
        ({"average": 1.0}, "stage.mdm.average=1.0; expected a share below 1"),
        ({"unit": 0}, "stage.mdm.unit=0 frames; expected 1 to 50"),
        ({"noise": {"steps": 0}}, "noise: steps=0"),
        (
            {"noise": {"steps": 99}, "denoiser": {"positions": 60}},
            "positions=60: the diffusion has",
        ),
    ],
)
def test_settings_that_do_not_fit_are_refused(made, tmp_path, settings, message):
    with pytest.raises(UserError, match=message):
        make_stage(**settings).run(context_at(made, tmp_path))


def _train_together(processes: Processes, made: Path, folder: Path) -> None:
    stages.load_text_encoder = load_fake
    hardware = Hardware(accelerator="cpu", devices=processes.world)
    context = context_at(made, folder, hardware=hardware, processes=processes)
    metrics = make_stage(denoiser={"dropout": 0.0}).run(context)
    (folder / f"metrics-{processes.rank}.json").write_text(json.dumps(dict(metrics)))


@pytest.mark.slow
def test_two_processes_give_what_one_gives(made, tmp_path):
    for world in (1, 2):
        run_together(world, _train_together, made, tmp_path / str(world))
    read = [json.loads(p.read_text()) for p in sorted(tmp_path.glob("*/metrics-*.json"))]
    assert len(read) == 3
    assert read[1] == read[2] == pytest.approx(read[0], rel=1e-5)
    found, wanted = weights(tmp_path / "2"), weights(tmp_path / "1")
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value, rtol=2e-4, atol=2e-4)
