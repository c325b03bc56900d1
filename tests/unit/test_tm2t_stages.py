"""The trainings of TM2T: what is drawn, resumed, shared by processes, and learnt."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf
from safetensors.torch import load_file

from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.methods.tm2t import modules, stages
from motiongpt.methods.tm2t.examples import Pairs
from motiongpt.methods.tm2t.folder import TrainedToText, load_to_motion
from motiongpt.methods.tm2t.generating import ReadWords, TranslatedSource, generate_rows
from motiongpt.methods.tm2t.rows import Tokens, code_row, motion_marks, padded, token_losses
from motiongpt.methods.tm2t.seq2seq import WordsToCodes
from motiongpt.methods.tm2t.translator import Translator
from motiongpt.methods.tm2t.vocabulary import Vocabulary
from motiongpt.training.stage import Hardware, Processes, StageContext
from motiongpt.training.stopping import Interrupted, StopRequest
from tests.together import run_together
from tests.unit.mdm_parts import FakeWords
from tests.unit.test_learnt_by_heart import CAPTIONS
from tests.unit.test_t2m_gpt_stage import ADAMW, STEADY, STEPS, make_parents, make_store
from tests.unit.tiny_models import CODES

PARENTS = {"to_text": ("tokenizer",), "to_motion": ("tokenizer", "text_encoder", "tm2t_to_text")}


def load_words(folder: Path, device: object = "cpu") -> FakeWords:
    return FakeWords()


def make_stage(kind: str, dropout: float = 0.1, **settings: object) -> stages.TM2TStage:
    package = "motiongpt.methods.tm2t"
    translator = {"_target_": f"{package}.translator.Translator", "_partial_": True}
    translator |= {"width": 16, "feed_forward": 16, "heads": 2, "head_width": 8}
    translator |= {"encoder_layers": 1, "decoder_layers": 1, "dropout": dropout}
    recurrent = {"_target_": f"{package}.seq2seq.WordsToCodes", "_partial_": True}
    recurrent |= {"text_hidden": 8, "width": 16}
    own = {
        "to_text": {"translator": translator, "fewest": 1, "smoothing": 0.1},
        "to_motion": {
            "recurrent": recurrent,
            "forcing": {"first": 0.9, "last": 0.1, "steps": 4},
            "inverse": 1.0,
            "drawn_codes": 6,
        },
    }[kind]
    arguments = {
        "codebook_size": CODES,
        "most_codes": 16,
        "most_words": 8,
        "drop_probability": 0.333,
        "summed": False,
        "optimizer": ADAMW,
        "scheduler": STEADY,
        "learning_rate": 1e-2,
        "schedule": {"steps": STEPS, "batch_size": 4, "validate_every": 3, "checkpoint_every": 100},
        "seed": 1,
    }
    made = {"to_text": stages.ToTextStage, "to_motion": stages.ToMotionStage}[kind]
    return made(**OmegaConf.create({**own, **arguments, **settings}))


def context_at(made: Path, kind: str, folder: Path, **settings: object) -> StageContext:
    folder.mkdir(parents=True, exist_ok=True)
    usual = StageContext(
        stage=stages.ToTextStage.name if kind == "to_text" else stages.ToMotionStage.name,
        signature="",
        folder=folder,
        parents={name: made / name for name in PARENTS[kind]},
        store=MotionStore.open(made / "store"),
        hardware=Hardware(accelerator="cpu"),
        log=str,
    )
    return replace(usual, **settings)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tm2t")
    make_store(folder / "store")
    make_parents(folder)
    make_stage("to_text").run(context_at(folder, "to_text", folder / "tm2t_to_text"))
    return folder


@pytest.fixture(autouse=True)
def fake_words(monkeypatch):
    monkeypatch.setattr(stages, "load_text_encoder", load_words)


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / "model" / "network.safetensors")


@pytest.mark.parametrize("kind", ["to_text", "to_motion"])
def test_it_leaves_a_network_that_a_resumed_training_leaves_too(made, tmp_path, kind):
    expected = make_stage(kind).run(context_at(made, kind, tmp_path / "whole"))
    assert {"train/loss", "val/loss", "val/accuracy"} <= set(expected)
    assert np.isfinite(list(expected.values())).all()
    opened = {"to_text": TrainedToText.load, "to_motion": load_to_motion}[kind]
    opened(tmp_path / "whole" / "model")
    stop, name = StopRequest(), {"to_text": "ToTextModule", "to_motion": "ToMotionModule"}[kind]

    class Module(getattr(modules, name)):
        def training_step(self, batch, batch_idx):
            if self.trainer.global_step == 1:
                stop.signal = 15
            return super().training_step(batch, batch_idx)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(modules, name, Module)
        with pytest.raises(Interrupted):
            make_stage(kind).run(context_at(made, kind, tmp_path / "cut", stop=stop))
    assert not (tmp_path / "cut" / "model").exists()
    assert make_stage(kind).run(context_at(made, kind, tmp_path / "cut")) == expected
    found, wanted = weights(tmp_path / "cut"), weights(tmp_path / "whole")
    assert all(torch.equal(found[one], wanted[one]) for one in wanted)


def test_a_sum_over_ids_is_another_loss_only_where_the_gradient_is_clipped(made, tmp_path):
    def losses(**settings):
        stage = make_stage("to_text", optimizer=dict(ADAMW, eps=1e-30), **settings)
        folder = tmp_path / repr(sorted(settings))
        return stage.run(context_at(made, "to_text", folder))["val/loss"]

    assert losses(summed=True) == pytest.approx(losses(), rel=1e-4)


def test_only_training_clips_lose_a_code(made):
    store = MotionStore.open(made / "store")
    codes = {index: np.arange(5) for index in range(17)}
    vocabulary = Vocabulary.of(CAPTIONS)
    pairs = Pairs(store, codes, CODES, vocabulary, 8, 1.0, steps=3)
    for split, length in (("train", 4), ("val", 5)):
        index = int(store.indices(split)[2])
        one, again = pairs[index, 3], pairs[index, 3]
        assert one.codes == again.codes and torch.equal(one.gumbel, again.gumbel)
        assert len(one.codes) == length + 2 and one.gumbel.shape == (3, CODES + 3)
    batch = pairs.collate([pairs[0, seed] for seed in range(5)])
    assert batch.codes.shape == (5, 6) and batch.counts[0][0] == 6


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (
            "to_text",
            {"smoothing": 1.5},
            "stage.tm2t_to_text.smoothing=1.5 must lie between 0 and 1",
        ),
        ("to_text", {"most_words": 0}, "stage.tm2t_to_text.most_words=0; expected 1 or more"),
        ("to_motion", {"inverse": -1.0}, "stage.tm2t: inverse=-1.0"),
        ("to_motion", {"forcing": {"first": 2, "last": 0, "steps": 9}}, "stage.tm2t.first=2 must"),
        ("to_motion", {"codebook_size": 99}, "trained for 16 codes, the tokenizer has 99"),
        ("to_text", {"codebook_size": 99}, "codebook_size expected 99, found 16"),
    ],
)
def test_settings_that_do_not_fit_are_refused(made, tmp_path, kind, settings, message):
    with pytest.raises(UserError, match=message):
        make_stage(kind, **settings).run(context_at(made, kind, tmp_path))


def _train_together(processes: Processes, made: Path, folder: Path) -> None:
    stages.load_text_encoder = load_words
    for kind in PARENTS:
        hardware = Hardware(accelerator="cpu", devices=processes.world)
        context = context_at(made, kind, folder / kind, hardware=hardware, processes=processes)
        metrics = make_stage(kind, dropout=0.0, summed=kind == "to_motion").run(context)
        (folder / f"{kind}-{processes.rank}.json").write_text(json.dumps(dict(metrics)))


@pytest.mark.slow
def test_two_processes_give_what_one_gives(made, tmp_path, monkeypatch):
    monkeypatch.setattr("motiongpt.methods.tm2t.attention.WEIGHTS_DROPOUT", 0.0)
    for world in (1, 2):
        run_together(world, _train_together, made, tmp_path / str(world))
    for kind in PARENTS:
        read = [json.loads(p.read_text()) for p in sorted(tmp_path.glob(f"*/{kind}-*.json"))]
        assert len(read) == 3 and read[1] == read[2]
        if kind == "to_motion":  # the attention of the other draws its dropout by process
            assert read[1] == pytest.approx(read[0], rel=1e-4)


MARKS, VOCABULARY = motion_marks(CODES), Vocabulary.of(CAPTIONS)
OWN = list(range(len(CAPTIONS)))
OTHER = [*OWN[1:], OWN[0]]


@pytest.fixture
def rows():
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    return [rng.integers(CODES, size=rng.integers(3, 9)).tolist() for _ in CAPTIONS]


def learn(network: torch.nn.Module, loss_of: Callable[[], Tokens], steps: int) -> None:
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, steps)
    for _ in range(steps):
        found = loss_of()
        optimizer.zero_grad()
        (found.losses / found.counted).backward()
        optimizer.step()
        falling.step()
    network.eval()


def same(found: list[object], wanted: list[object]) -> int:
    return sum(a == b for a, b in zip(found, wanted, strict=True))


def test_motions_are_learnt_by_heart_and_read_the_words(rows):
    codes = padded([code_row(row, MARKS) for row in rows], MARKS.pad)
    texts, mask = FakeWords().encode_tokens(list(CAPTIONS))
    counts, read = mask.sum(1), codes[:, :-1]
    network = WordsToCodes(texts.shape[-1], CODES + 3, 32, 64)
    learn(
        network,
        lambda: token_losses(network(texts, counts, read, True), codes[:, 1:], MARKS.pad),
        60,
    )

    def motions(of):
        found = generate_rows(ReadWords(network, texts[of], counts[of]), MARKS, 12).content()
        return [row.tolist() for row in found]

    assert same(motions(OWN), rows) >= 31
    assert same(motions(OTHER), rows) == 0


def test_sentences_are_learnt_by_heart_and_read_the_motion(rows):
    codes = padded([code_row(row, MARKS) for row in rows], MARKS.pad)
    pad, present = VOCABULARY.marks.pad, codes != MARKS.pad
    words = padded([VOCABULARY.ids(one, 9) for one in CAPTIONS], pad)
    sizes = {"width": 64, "feed_forward": 64, "encoder_layers": 1, "decoder_layers": 1, "heads": 4}
    network = Translator(CODES + 3, len(VOCABULARY), head_width=16, dropout=0.0, **sizes)
    read = words[:, :-1]
    learn(
        network,
        lambda: token_losses(network(codes, present, read, read != pad), words[:, 1:], pad),
        90,
    )

    def sentences(of):
        source = TranslatedSource(network, codes[of], present[of])
        found = generate_rows(source, VOCABULARY.marks, 12).content()
        return [VOCABULARY.sentence(row.tolist()) for row in found]

    assert same(sentences(OWN), CAPTIONS) >= 31
    assert same(sentences(OTHER), CAPTIONS) == 0
