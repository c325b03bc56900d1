"""The training of T2M-GPT: what is drawn, resumed, cached, shared by processes, and learnt."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from safetensors.torch import load_file

from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.codecs.vq_vae.encoded_clips import codes_by_clip, encoded_clips
from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.methods.t2m_gpt import stage as stages
from motiongpt.methods.t2m_gpt.examples import (
    Augmentation,
    CodeExamples,
    captions_of,
)
from motiongpt.methods.t2m_gpt.folder import load_transformer
from motiongpt.methods.t2m_gpt.module import CodeTransformerModule
from motiongpt.methods.t2m_gpt.network import CodeTransformer
from motiongpt.methods.t2m_gpt.rows import Row, collate, corrupt_at_random, row_means
from motiongpt.methods.t2m_gpt.sampling import sample_codes
from motiongpt.training.sampler import fixed_keys
from motiongpt.training.stage import Hardware, Processes, StageContext
from motiongpt.training.stopping import Interrupted, StopRequest
from tests.together import run_together
from tests.unit.fake_source import FakeSource, joint_clip
from tests.unit.fake_text_encoder import FakeTextEncoder, load_fake, save_fake
from tests.unit.tiny_models import CODES, tiny_tokenizer

ADAMW = {"_target_": "torch.optim.AdamW", "_partial_": True, "betas": [0.5, 0.9]}
STEADY = {"_target_": "motiongpt.training.schedulers.constant", "_partial_": True}
STEPS = 6


def make_store(folder: Path) -> MotionStore:
    """12 clips for training and 5 for validation of 21 to 80 frames; two captions each."""
    clips = [
        joint_clip(
            f"{split}{i}",
            split,
            21 + (i * 37) % 60,
            seed=i,
            captions=(Caption(f"{split} {i}"), Caption("someone moves")),
        )
        for split, count in (("train", 12), ("val", 5), ("test", 1))
        for i in range(count)
    ]
    return build_store(FakeSource(clips), folder, progress=False)


def make_parents(folder: Path) -> dict[str, Path]:
    """Folders of a tokenizer and a fake text encoder."""
    tiny_tokenizer().save(folder / "tokenizer" / "model")
    save_fake(folder / "text_encoder" / "model")
    return {name: folder / name for name in ("tokenizer", "text_encoder")}


def make_stage(dropout: float = 0.2, **settings: object) -> stages.T2MGPTStage:
    transformer = {
        "_target_": "motiongpt.methods.t2m_gpt.network.CodeTransformer",
        "_partial_": True,
        **{"block_size": 17, "width": 16, "blocks": 1, "heads": 2, "dropout": dropout},
    }
    schedule = {"steps": STEPS, "batch_size": 4, "validate_every": 3, "checkpoint_every": 100}
    arguments = {
        "transformer": transformer,
        "codebook_size": CODES,
        "keep_probability": 0.5,
        "drop_probability": 0.333,
        "optimizer": ADAMW,
        "scheduler": STEADY,
        "learning_rate": 1e-2,
        "schedule": schedule,
        "seed": 1,
    }
    return stages.T2MGPTStage(**OmegaConf.create({**arguments, **settings}))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("t2m_gpt")
    make_store(folder / "store")
    make_parents(folder)
    return folder


def context_at(made: Path, folder: Path, **settings: object) -> StageContext:
    folder.mkdir(parents=True, exist_ok=True)
    usual = StageContext(
        stage="t2m_gpt",
        signature="",
        folder=folder,
        parents={name: made / name for name in ("tokenizer", "text_encoder")},
        store=MotionStore.open(made / "store"),
        hardware=Hardware(accelerator="cpu"),
        log=str,
    )
    return replace(usual, **settings)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model" / "transformer.safetensors")


@pytest.fixture(autouse=True)
def fake_text_encoder(monkeypatch):
    monkeypatch.setattr(stages, "load_text_encoder", load_fake)


@pytest.fixture(scope="module")
def undisturbed(made, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(stages, "load_text_encoder", load_fake)
        folder = tmp_path_factory.mktemp("undisturbed")
        return folder, make_stage().run(context_at(made, folder))


def test_it_leaves_a_transformer_and_the_metrics_of_the_whole_validation(made, undisturbed):
    folder, metrics = undisturbed
    network = load_transformer(folder / "model")
    assert (network.codebook_size, network.text_width, network.block_size) == (CODES, 8, 17)
    store = MotionStore.open(made / "store")
    codes = codes_by_clip(store, encoded_clips(store, tiny_tokenizer(), network.max_codes))
    captions = captions_of(store)
    texts = FakeTextEncoder().encode(list(captions))
    examples = CodeExamples(store, codes, texts, captions, CODES, Augmentation(0.0, 1.0))
    keys = fixed_keys(store.indices("val"), seed=1)
    batch = collate([examples[key] for key in keys], network.stop, network.pad)
    with torch.no_grad():
        found = row_means(network(batch.text, batch.inputs), batch.targets, batch.lengths)
    assert metrics["val/loss"] == pytest.approx(float(found.loss), rel=1e-5)
    assert metrics["val/accuracy"] == pytest.approx(int(found.hits) / batch.counted, abs=1e-6)
    assert set(metrics) == {"train/loss", "val/loss", "val/accuracy"}


def test_a_resumed_training_ends_with_the_same_weights(made, undisturbed, tmp_path):
    stop = StopRequest()

    class Module(CodeTransformerModule):
        def training_step(self, batch, batch_idx):
            if self.trainer.global_step == 1:
                stop.signal = 15
            return super().training_step(batch, batch_idx)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("motiongpt.methods.t2m_gpt.module.CodeTransformerModule", Module)
        with pytest.raises(Interrupted):
            make_stage().run(context_at(made, tmp_path, stop=stop))
    assert not (tmp_path / "model").exists()
    metrics = make_stage().run(context_at(made, tmp_path))
    folder, expected = undisturbed
    assert metrics == expected
    found, wanted = weights(tmp_path), weights(folder)
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def test_captions_and_clips_are_encoded_once_for_all_runs(made, undisturbed, tmp_path, monkeypatch):
    encoder, encoded = FakeTextEncoder(), []
    encode = TrainedTokenizer.encode
    monkeypatch.setattr(stages, "load_text_encoder", lambda folder, device: encoder)
    monkeypatch.setattr(
        TrainedTokenizer, "encode", lambda self, clips: encoded.append(clips) or encode(self, clips)
    )
    for run in ("one", "two"):
        context = context_at(made, tmp_path / run, cache=tmp_path / "cache")
        assert make_stage().run(context) == undisturbed[1]
    asked = [text for texts in encoder.asked for text in texts]
    assert len(asked) == len(set(asked)) == 12 + 5 + 1
    assert [len(clips) for clips in encoded] == [12 + 5]
    (made / "text_encoder" / "model" / "more.txt").write_text("another encoder")
    make_stage().run(context_at(made, tmp_path / "three", cache=tmp_path / "cache"))
    (made / "text_encoder" / "model" / "more.txt").unlink()
    assert len(encoder.asked) == 2 and len(encoded) == 1
    for file in (tmp_path / "cache").iterdir():
        file.write_bytes(b"1234567890")
    with pytest.raises(UserError, match="damaged .*; remove it"):
        make_stage().run(context_at(made, tmp_path / "four", cache=tmp_path / "cache"))


def test_only_rows_of_the_training_split_are_corrupted(made):
    store = MotionStore.open(made / "store")
    codes = codes_by_clip(store, encoded_clips(store, tiny_tokenizer(), 16))
    captions = captions_of(store)
    texts = FakeTextEncoder().encode(list(captions))
    examples = CodeExamples(store, codes, texts, captions, CODES, Augmentation(0.0, 1.0))
    for split, trained in (("train", True), ("val", False)):
        index = int(store.indices(split)[2])
        row, again, other = examples[index, 3], examples[index, 3], examples[index, 4]
        for one, two in zip(row, again, strict=True):
            assert np.array_equal(one, two)
        assert len(row.codes) == len(codes[index]) - trained
        assert (row.inputs.tolist() != row.codes.tolist()) == trained
        assert (row.inputs.tolist() != other.inputs.tolist()) == trained
    seen = {tuple(examples[index, seed].text.tolist()) for seed in range(20)}
    assert len(seen) == 2  # both captions


def test_clips_are_cut_to_whole_tokens_and_to_the_block(made):
    store = MotionStore.open(made / "store")
    tokenizer = tiny_tokenizer()
    codes = codes_by_clip(store, encoded_clips(store, tokenizer, 7))
    for index in (0, 5):
        frames = min(int(store.lengths[index]) // 4, 7) * 4
        (expected,) = tokenizer.encode([store.features(index, stop=frames)])
        assert codes[index].tolist() == expected.tolist()
    assert {len(row) for row in codes.values()} == {5, 6, 7}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"keep_probability": 1.5}, "stage.t2m_gpt.keep_probability=1.5 must lie between 0 and 1"),
        ({"drop_probability": -0.1}, "stage.t2m_gpt.drop_probability=-0.1 must lie"),
        ({"codebook_size": 99}, "codebook_size expected 99, found 16"),
    ],
)
def test_settings_that_do_not_fit_are_refused(made, tmp_path, settings, message):
    with pytest.raises(UserError, match=message):
        make_stage(**settings).run(context_at(made, tmp_path))


def _train_together(processes: Processes, made: Path, folder: Path) -> None:
    stages.load_text_encoder = load_fake
    hardware = Hardware(accelerator="cpu", devices=processes.world)
    context = context_at(made, folder, hardware=hardware, processes=processes)
    metrics = make_stage(dropout=0.0).run(context)
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


def test_it_learns_32_clips_by_heart_through_corruption():
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    codes = [rng.integers(24, size=rng.integers(3, 12)) for _ in range(32)]
    texts = torch.randn(32, 8)
    network = CodeTransformer(24, 8, 13, width=64, blocks=1, heads=4, dropout=0.0)
    optimizer = torch.optim.AdamW(network.parameters(), lr=4e-3, betas=(0.5, 0.9))
    # Steps that stay as long as in the beginning leave some codes wrong, which ones by rounding.
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 250)
    for _ in range(250):
        rows = [
            Row(text, row, corrupt_at_random(row, 0.5, 24, rng))
            for text, row in zip(texts, codes, strict=True)
        ]
        batch = collate(rows, network.stop, network.pad)
        loss = row_means(network(batch.text, batch.inputs), batch.targets, batch.lengths).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    found = sample_codes(network.eval(), texts)
    assert sum(np.array_equal(one, two) for one, two in zip(found, codes, strict=True)) >= 31
    shuffled = sample_codes(network, texts.roll(1, 0))
    assert sum(np.array_equal(one, two) for one, two in zip(shuffled, codes, strict=True)) == 0
