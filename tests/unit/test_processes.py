"""What a stage does when several processes run it together; real ones are in end_to_end."""

import signal
import threading
import time
from dataclasses import replace
from types import SimpleNamespace

import lightning.pytorch as pl
import numpy as np
import pytest
import torch
from hydra.utils import get_class
from torch.utils.data import DataLoader

from evaluation import generate_stage, peers
from evaluation.generate_stage import Piece
from evaluation.requests.predictions import About, Outputs, PredictionSet
from launch.composition.compose import compose_config
from motiongpt.errors import UserError
from motiongpt.training.callbacks import KeepCheckpoint, StopAtStepEnd
from motiongpt.training.fit import fit
from motiongpt.training.schedule import Schedule
from motiongpt.training.stage import Hardware, Processes, Stage, StageContext
from motiongpt.training.stopping import Interrupted, StopRequest, let_through


def context_for(tmp_path, world, devices=None, strategy="auto", said=None):
    return StageContext(
        stage="tokenizer",
        signature="",
        folder=tmp_path,
        parents={},
        store=SimpleNamespace(name="synthetic"),
        hardware=Hardware("cpu", world if devices is None else devices, strategy=strategy),
        processes=Processes(0, world),
        log=print if said is None else said.append,
    )


def try_to_fit(context, batch_size, module=None, schedule=None):
    clips = np.arange(9), np.arange(2)
    schedule = schedule or Schedule(steps=1, batch_size=batch_size)
    fit("tokenizer", module or pl.LightningModule(), [], list, clips, schedule, 0, context)


@pytest.mark.parametrize(("batch_size", "world", "nearest"), [(10, 4, "8 and 12"), (3, 8, "8")])
def test_a_batch_that_cannot_be_shared_is_refused_with_sizes_that_can(
    tmp_path, batch_size, world, nearest
):
    with pytest.raises(UserError) as error:
        try_to_fit(context_for(tmp_path, world), batch_size)
    said = str(error.value)
    assert f"stage.tokenizer.schedule.batch_size={batch_size}" in said and "\n" not in said
    assert f"{world} processes" in said and said.endswith(f"can: {nearest}")


def test_the_share_of_a_process_is_said(tmp_path):
    said = []
    with pytest.raises(UserError, match="strategy=other"):  # the next thing that is looked at
        try_to_fit(context_for(tmp_path, 8, strategy="other", said=said), 256)
    assert said == ["  tokenizer: 256 clips a step = 8 processes x 32"]


def test_devices_without_processes_are_refused(tmp_path):
    with pytest.raises(UserError, match="8 devices on each of 1 nodes, but 1 processes"):
        try_to_fit(context_for(tmp_path, 1, devices=8), 256)


def test_stages_say_whether_several_processes_may_run_them():
    stages = compose_config().stage
    classes = {name: get_class(stage["_target_"]) for name, stage in stages.items()}
    assert all(Stage in kind.__mro__ for kind in classes.values())
    shared = {name for name, kind in classes.items() if kind.distributed}
    assert shared == {"tokenizer", "pretrain", "instruct", "generate"}


def piece_of(folder, number):
    about = About("task", "text", "f", ["clip"], [8], [(0, 0)], seeds=[0, 1])
    return Piece("task", PredictionSet.create(folder, about), number)


def test_the_first_process_waits_for_what_the_others_write(tmp_path, monkeypatch):
    monkeypatch.setattr(generate_stage, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(generate_stage, "LOG_SECONDS", 0.05)
    said = []
    context = replace(context_for(tmp_path, 2), log=said.append)
    pieces = [piece_of(tmp_path / "task", number) for number in (0, 1)]
    answers = Outputs([0], ["?"], ["!"], [np.zeros((0, 263), np.float32)])
    pieces[0].saved.write(0, answers)
    other = threading.Timer(0.3, pieces[1].saved.write, (1, answers))
    other.start()
    started = time.monotonic()
    (tmp_path / ".alive_1").write_text("0")
    assert list(generate_stage._left_over(pieces, context)) == []
    assert time.monotonic() - started >= 0.3 and all(piece.is_there for piece in pieces)
    assert "waiting for 1 of 2 replications" in said[0]


def test_the_first_process_does_the_part_of_one_that_died(tmp_path, monkeypatch):
    monkeypatch.setattr(generate_stage, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(peers, "SILENT_SECONDS", 0.2)
    context = replace(context_for(tmp_path, 2), log=lambda line: None)
    pieces = [piece_of(tmp_path / "task", number) for number in (0, 1)]
    outputs = Outputs([0], ["?"], ["!"], [np.zeros((0, 263), np.float32)])
    pieces[0].saved.write(0, outputs)
    done = []
    with peers.alive(tmp_path, 1, seconds=0.05):
        waiting = generate_stage._left_over(pieces, context)
        thread = threading.Thread(target=lambda: done.append(next(waiting)))
        thread.start()
        time.sleep(0.5)
        assert not done, "a process that lives is waited for"
    thread.join(timeout=10)
    assert done == [pieces[1]]


class OneWeight(pl.LightningModule):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))
        self.handlers = set()

    def training_step(self, batch, batch_idx):
        self.handlers.add(signal.getsignal(signal.SIGTERM))
        if self.trainer.global_step == 2:
            signal.raise_signal(signal.SIGTERM)
        return self.weight * batch.sum()

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.1)


class AskedWhileLightningPrepares(OneWeight):
    def on_fit_start(self):
        signal.raise_signal(signal.SIGTERM)


class BreaksWhileLightningPrepares(OneWeight):
    def on_fit_start(self):
        raise ValueError("no")


def fit_listening(tmp_path, module, stop):
    keep = KeepCheckpoint(tmp_path / "last.ckpt", every=100)
    trainer = pl.Trainer(
        accelerator="cpu", max_steps=9, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, default_root_dir=tmp_path,
        callbacks=[keep, StopAtStepEnd(stop, keep)],
    )  # fmt: skip
    loader = DataLoader(torch.ones(9, 1), num_workers=1, worker_init_fn=let_through)
    with stop.deferred():
        trainer.fit(module, loader)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("kind", "error", "step"),
    [
        (OneWeight, Interrupted, 3),
        (AskedWhileLightningPrepares, Interrupted, 1),
        (BreaksWhileLightningPrepares, ValueError, None),
    ],
)
def test_lightning_never_receives_sigterm(kind, error, step, tmp_path):
    module = kind()
    before = signal.getsignal(signal.SIGTERM)
    with StopRequest().listening() as stop:
        with pytest.raises(error):
            fit_listening(tmp_path, module, stop)
        assert signal.getsignal(signal.SIGTERM) == stop._receive
        assert module.handlers == ({stop._receive} if step else set())
        assert not step or not module.trainer.received_sigterm
    assert signal.getsignal(signal.SIGTERM) == before
    assert signal.SIGTERM not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    kept = tmp_path / "last.ckpt"
    assert not step or torch.load(kept, weights_only=False)["global_step"] == step
