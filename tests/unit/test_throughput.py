"""What is said of a training's speed."""

import json
import time

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.loggers import Logger
from torch.utils.data import DataLoader

from motiongpt.backbones.gpt2 import GPT2Backbone
from motiongpt.backbones.t5 import T5Backbone
from motiongpt.codecs.flops import codec_flops
from motiongpt.codecs.vq_vae.network import VQVAE
from motiongpt.codecs.vq_vae.quantizers.ema_reset import EMAResetQuantizer
from motiongpt.methods.motiongpt.training.language_model_cost import language_flops
from motiongpt.training import throughput as module_of_throughput
from motiongpt.training.callbacks import ReportProgress
from motiongpt.training.machine_peak import dtype_of, peak_flops
from motiongpt.training.step_cost import StepCost
from motiongpt.training.throughput import Throughput, peak_memory
from tests.unit.test_accumulation import backbone_of

SECONDS = 0.02


class Sleeping(pl.LightningModule):
    """Takes a known time for a known work."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))

    def training_step(self, batch, batch_idx):
        time.sleep(SECONDS)
        self.log("train/loss", self.weight.sum().detach())
        return self.weight.sum()

    def validation_step(self, batch, batch_idx):
        time.sleep(20 * SECONDS)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

    def step_cost(self, batch):
        return StepCost(clips=4, tokens=300, positions=400, flops=1e9)


class Memory(Logger):
    """Keeps what it is given."""

    def __init__(self):
        super().__init__()
        self.logged = []

    name, version = "memory", "0"

    def log_metrics(self, metrics, step=None):
        self.logged.append((step, metrics))

    def log_hyperparams(self, *args, **kwargs):
        """Nothing is kept of them."""


@pytest.fixture
def trained(tmp_path, monkeypatch):
    monkeypatch.setattr(module_of_throughput, "peak_flops", lambda *where: 1e12)
    logger, throughput, lines = Memory(), Throughput(tmp_path, "32-true"), []
    progress = ReportProgress(tmp_path, "tokenizer", lines.append, 0.0, throughput)
    trainer = pl.Trainer(
        accelerator="cpu", max_steps=20, logger=logger, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, log_every_n_steps=5,
        callbacks=[throughput, progress], num_sanity_val_steps=0, val_check_interval=10,
        check_val_every_n_epoch=None, default_root_dir=tmp_path,
    )  # fmt: skip
    trainer.fit(Sleeping(), DataLoader([0] * 20, batch_size=None), DataLoader([0], batch_size=None))
    return logger, throughput, lines, trainer


@pytest.mark.filterwarnings("ignore")
def test_it_counts_tokens_clips_padding_and_operations_of_training_alone(trained, tmp_path):
    logger, throughput, lines, trainer = trained
    whole = json.loads((tmp_path / "throughput.json").read_text())
    assert throughput.whole.cost == StepCost(80, 6000, 8000, 20e9)
    # Two validations of 20 steps' time are left out; a busy machine makes steps longer, never less.
    assert 0.3 * 300 / SECONDS < whole["tokens_per_second"] <= 300 / SECONDS
    assert whole["clips_per_second"] == pytest.approx(whole["tokens_per_second"] / 75, rel=0.01)
    assert whole["padding"] == 0.25
    speed = whole["gigaflops"] * 1e9
    assert speed == pytest.approx(whole["tokens_per_second"] / 300 * 1e9, rel=0.01)
    assert whole["utilisation"] == pytest.approx(speed / 1e12, abs=1e-3)
    assert whole["peak_memory_mb"] == pytest.approx(peak_memory(torch.device("cpu")) / 2**20, abs=9)
    logged = {step: m for step, m in logger.logged if "throughput/tokens_per_second" in m}
    trained_at = [step for step, m in logger.logged if "train/loss" in m]
    assert sorted(logged) == trained_at == [4, 9, 14, 19]  # Lightning counts its rows from 0
    assert set(logged[4]) == {f"throughput/{name}" for name in whole}
    assert "25% padding" in lines[-1] and "tokens/s" in lines[-1]
    assert json.loads((tmp_path / "progress.json").read_text())["throughput"]["padding"] == 0.25
    assert set(trainer.callback_metrics) == {"train/loss"}  # a resumed run must end with the same


def test_it_costs_no_time(tmp_path):
    throughput, module = Throughput(tmp_path, "32-true"), Sleeping()
    trainer = pl.Trainer(logger=False, accelerator="cpu", enable_progress_bar=False)
    begun = time.perf_counter()
    for step in range(1, 1000):
        throughput.on_train_batch_start(trainer, module, None, step)
        throughput.on_train_batch_end(trainer, module, None, None, step)
    assert (time.perf_counter() - begun) / 1000 < 1e-3


def test_before_the_first_step_there_is_nothing_to_say(tmp_path):
    throughput = Throughput(tmp_path, "bf16-mixed")
    assert throughput.numbers() == {} and throughput.words() == "no step yet"
    assert throughput.dtype is torch.bfloat16


@pytest.mark.parametrize("kind", [T5Backbone, GPT2Backbone])
def test_operations_of_a_language_model_are_those_of_its_weights(kind):
    backbone = backbone_of(kind)
    model = backbone.language_model
    output = model.get_output_embeddings().weight.numel()
    tables = output + (0 if kind is T5Backbone else model.transformer.wpe.weight.numel())
    inner = sum(value.numel() for value in model.parameters()) - tables
    if kind is T5Backbone:
        inner -= sum(v.numel() for n, v in model.named_parameters() if "relative" in n)
        assert language_flops(backbone, 10, 10) == 6 * 10 * (inner + output)
        assert language_flops(backbone, 10, 0) < language_flops(backbone, 0, 10)
    else:
        assert language_flops(backbone, 10, 10) == 6 * (20 * inner + 10 * output)


def test_operations_of_a_tokenizer_are_those_of_its_convolutions():
    one = VQVAE(20, EMAResetQuantizer, frames_per_token=1, code_dim=16, width=16, codebook_size=8)
    convolutions = 20 * 16 * 3 + 16 * 16 * 3 + 16 * 16 * 3 + 16 * 16 * 3 + 16 * 20 * 3
    distances = 16 * 8
    expected = 3 * 2 * 100 * (convolutions + distances)
    assert codec_flops(one, 100) == pytest.approx(expected, rel=0.01)


def test_the_machines_peak_is_measured_and_draws_no_random_number():
    assert (dtype_of("32-true"), dtype_of("16-mixed")) == (torch.float32, torch.float16)
    state = torch.get_rng_state()
    assert peak_flops(torch.device("cpu"), torch.float32) > 1e8
    assert torch.equal(torch.get_rng_state(), state)
