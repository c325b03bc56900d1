"""The training of MoMask's networks: what is hidden, resumed, shared by processes, and learnt."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from safetensors.torch import load_file

from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.methods.momask import stage as stages
from motiongpt.methods.momask.decoding import (
    add_codebooks,
    fill_in,
    masked_counts,
    masked_logits,
)
from motiongpt.methods.momask.examples import (
    MaskedExamples,
    ResidualExamples,
    collate_masked,
    collate_residual,
)
from motiongpt.methods.momask.folder import load_network
from motiongpt.methods.momask.length import LengthEstimator
from motiongpt.methods.momask.losses import token_means
from motiongpt.methods.momask.masked import MaskedTransformer
from motiongpt.methods.momask.masking import (
    EARLY,
    IGNORED,
    PAPER,
    RELEASED,
    UNIFORM,
    drawn_codebook,
)
from motiongpt.methods.momask.modules import TokenModule
from motiongpt.methods.momask.residual import ResidualTransformer
from motiongpt.training.stage import Hardware, Processes, StageContext
from motiongpt.training.stopping import Interrupted, StopRequest
from tests.together import run_together
from tests.unit.fake_source import FakeSource, joint_clip
from tests.unit.fake_text_encoder import FakeTextEncoder, load_fake, save_fake
from tests.unit.momask_parts import CODEBOOKS, CODES, SIZES, TOKENS, small_codec

ADAMW = {"_target_": "torch.optim.AdamW", "_partial_": True}
STEADY = {"_target_": "motiongpt.training.schedulers.constant", "_partial_": True}
STEPS = 4
KINDS = {
    "masked": (stages.MaskedStage, MaskedTransformer, SIZES, {"masking": "paper"}),
    "residual": (stages.ResidualStage, ResidualTransformer, SIZES, {"choice": UNIFORM}),
    "length": (stages.LengthStage, LengthEstimator, {}, {}),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("momask")
    clips = [
        joint_clip(
            f"{split}{i}", split, 21 + (i * 37) % 60, seed=i,
            captions=(Caption(f"{split} {i}"), Caption("someone moves")),
        )
        for split, count in (("train", 8), ("val", 4), ("test", 1))
        for i in range(count)
    ]  # fmt: skip
    build_store(FakeSource(clips), folder / "store", progress=False)
    small_codec().save(folder / "residual_tokenizer" / "model")
    save_fake(folder / "text_encoder" / "model")
    return folder


@pytest.fixture(autouse=True)
def fake_text_encoder(monkeypatch):
    monkeypatch.setattr(stages, "load_text_encoder", load_fake)


def make_stage(kind: str, dropout: float = 0.2, **settings: object) -> stages.MoMaskStage:
    stage, network, sizes, own = KINDS[kind]
    arguments = {
        "network": {
            "_target_": f"{network.__module__}.{network.__name__}",
            "_partial_": True,
            **{"dropout": dropout, "max_tokens": TOKENS},
            **sizes,
        },
        "codebooks": CODEBOOKS,
        "drop_text": 0.3,
        "optimizer": ADAMW,
        "scheduler": STEADY,
        "learning_rate": 1e-2,
        "schedule": {"steps": STEPS, "batch_size": 4, "validate_every": 2, "checkpoint_every": 9},
        "seed": 1,
    }
    return stage(**OmegaConf.create({**arguments, **own, **settings}))


def context_at(made: Path, folder: Path, **settings: object) -> StageContext:
    folder.mkdir(parents=True, exist_ok=True)
    usual = StageContext(
        stage="momask",
        signature="",
        folder=folder,
        parents={name: made / name for name in ("residual_tokenizer", "text_encoder")},
        store=MotionStore.open(made / "store"),
        hardware=Hardware(accelerator="cpu"),
        log=str,
    )
    return replace(usual, **settings)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", list(KINDS))
def test_it_trains_and_a_resumed_training_ends_with_the_same_weights(made, tmp_path, kind):
    metrics = make_stage(kind).run(context_at(made, tmp_path / "whole"))
    assert set(metrics) == {"train/loss", "val/loss", "val/accuracy"}
    assert all(np.isfinite(value) for value in metrics.values())
    network = load_network(KINDS[kind][1], tmp_path / "whole" / "model")
    assert (network.text_width, network.max_tokens) == (8, TOKENS)
    stop = StopRequest()
    step = TokenModule.training_step

    def stopping(self, batch, batch_idx):
        if self.trainer.global_step == 1:
            stop.signal = 15
        return step(self, batch, batch_idx)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TokenModule, "training_step", stopping)
        with pytest.raises(Interrupted):
            make_stage(kind).run(context_at(made, tmp_path / "cut", stop=stop))
    assert make_stage(kind).run(context_at(made, tmp_path / "cut")) == metrics
    found, wanted = (
        load_file(tmp_path / name / "model" / "momask.safetensors") for name in ("cut", "whole")
    )
    assert all(torch.equal(found[name], wanted[name]) for name in wanted)


def _train_together(processes: Processes, made: Path, folder: Path, kind: str) -> None:
    stages.load_text_encoder = load_fake
    hardware = Hardware(accelerator="cpu", devices=processes.world)
    context = context_at(made, folder, hardware=hardware, processes=processes)
    make_stage(kind, dropout=0.0).run(context)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["masked", "residual"])
def test_two_processes_give_what_one_gives(made, tmp_path, kind):
    for world in (1, 2):
        run_together(world, _train_together, made, tmp_path / str(world), kind)
    found, wanted = (
        load_file(tmp_path / str(world) / "model" / "momask.safetensors") for world in (2, 1)
    )
    for name, value in wanted.items():
        torch.testing.assert_close(found[name], value, rtol=2e-4, atol=2e-4)


@pytest.mark.parametrize(
    ("kind", "settings", "said"),
    [
        ("masked", {"masking": "all"}, "masking=all; choose one of: paper, released"),
        ("residual", {"choice": "late"}, "choice=late; choose one of: uniform, early"),
        ("masked", {"drop_text": 2.0}, "stage.momask.drop_text=2.0 must lie between 0 and 1"),
        ("length", {"codebooks": 1}, "residual_tokenizer.codebooks=1: .* have 2 or more"),
    ],
)
def test_settings_that_there_are_not_are_refused(kind, settings, said):
    with pytest.raises(UserError, match=said):
        make_stage(kind, **settings)


def test_another_number_of_codebooks_than_the_codecs_is_refused(made, tmp_path):
    with pytest.raises(UserError, match="codebooks expected 4, found 3"):
        make_stage("masked", codebooks=4).run(context_at(made, tmp_path))


def test_as_many_codes_are_hidden_as_the_schedule_says():
    assert PAPER.count(np.array([0.0, 0.5, 0.999]), 10).tolist() == [10, 8, 1]
    assert RELEASED.count(0.5, 10) == 7
    rng = np.random.default_rng(0)
    codes = rng.integers(CODES, size=4000)
    row = PAPER.row(codes, CODES, 4000, rng)
    targets = row.labels != IGNORED
    assert (row.inputs[~targets] == codes[~targets]).all()
    assert (row.labels[targets] == codes[targets]).all()
    assert (row.inputs[targets] == CODES).mean() == pytest.approx(0.8, abs=0.05)
    changed = (row.inputs[targets] != codes[targets]) & (row.inputs[targets] != CODES)
    assert changed.mean() == pytest.approx(0.1 * (CODES - 1) / CODES, abs=0.04)
    short = [RELEASED.row(codes[:3], CODES, 49, rng).labels for _ in range(200)]
    assert any((labels == IGNORED).all() for labels in short)


def test_a_codebook_is_drawn_evenly_or_the_first_ones_more_often():
    uniforms = np.linspace(0, 0.9999, 3000)
    even, early = (
        np.bincount(drawn_codebook(uniforms, 6, choice), minlength=6) / 3000
        for choice in (UNIFORM, EARLY)
    )
    assert even[0] == 0 and np.allclose(even[1:], 0.2, atol=1e-3)
    assert early[0] == 0 and early[1] > 0.28 > early[5]


def test_an_example_is_its_key_and_only_training_hides_words(made):
    store = MotionStore.open(made / "store")
    codes = {i: np.arange(18).reshape(6, 3) % CODES for i in range(len(store))}
    captions = stages.captions_of(store)
    texts = FakeTextEncoder().encode(list(captions))
    settings = (store, codes, texts, captions, 0.5)
    for examples, collate in (
        (MaskedExamples(PAPER, CODES, TOKENS, *settings), collate_masked),
        (ResidualExamples(UNIFORM, *settings), collate_residual),
    ):
        train, val = int(store.indices("train")[0]), int(store.indices("val")[0])
        for one, two in zip(examples[train, 3], examples[train, 3], strict=True):
            assert torch.equal(torch.as_tensor(one), torch.as_tensor(two))
        hidden = [not examples[train, seed].text.any() for seed in range(200)]
        assert np.mean(hidden) == pytest.approx(0.5, abs=0.12)
        assert all(examples[val, seed].text.any() for seed in range(20))
        batch = collate([examples[train, seed] for seed in range(20)], pad=CODES + 1)
        assert batch.targets == int((batch.labels != IGNORED).sum())
        assert {int((~row).sum()) for row in batch.padding} == {5, 6}
        assert (batch.labels[batch.padding] == IGNORED).all()


@pytest.mark.slow
def test_it_learns_32_clips_by_heart_and_reads_the_words():
    torch.manual_seed(0)
    count, tokens, codes = 32, 8, 16
    texts = torch.randn(count, 8)
    rows = torch.randint(codes, (count, tokens, 3))
    sizes = {"code_dim": 32, "width": 64, "feed_forward": 128, "layers": 2, "heads": 4}
    masked = MaskedTransformer(codes, 8, dropout=0.0, max_tokens=tokens, **sizes)
    residual = ResidualTransformer(3, codes, 8, dropout=0.0, max_tokens=tokens, **sizes)
    padding = torch.zeros(count, tokens, dtype=torch.bool)
    rng = np.random.default_rng(0)
    parameters = [*masked.parameters(), *residual.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 400)
    for _ in range(400):
        hidden = [PAPER.row(row.numpy(), codes, tokens, rng) for row in rows[..., 0]]
        inputs, labels = (torch.from_numpy(np.stack(part)) for part in zip(*hidden, strict=True))
        which = torch.randint(1, 3, (count,))
        wanted = rows[torch.arange(count), :, which]
        found = residual(residual.history(rows, which), which, texts, padding)
        loss = token_means(masked(inputs, texts, padding), labels).loss
        loss = loss + token_means(found, wanted).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    masked.eval(), residual.eval()

    @torch.no_grad()
    def made_of(words):
        ids = torch.full((count, tokens), masked.mask)
        counts = masked_counts(torch.full((count,), tokens), 6)

        def likeliest(_, logits):
            return logits.argmax(-1)

        logits_of = masked_logits(masked, words, padding, 1.0)
        scores = torch.zeros(count, tokens)
        *_, last = fill_in(logits_of, ids, scores, counts, masked.mask, likeliest, 0.5)
        layers = add_codebooks(residual, last.ids, words, padding, 1.0, likeliest, 0.5)
        return torch.stack([last.ids, *(layer.drawn for layer in layers)], -1)

    def by_heart(found):
        return int((found == rows).flatten(1).all(1).sum())

    assert by_heart(made_of(texts)) >= 30
    assert by_heart(made_of(texts.roll(1, 0))) == 0
