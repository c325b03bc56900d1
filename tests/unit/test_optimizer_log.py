"""What loggers learn of the optimizer, from a training of three layers."""

import math

import lightning.pytorch as pl
import pytest
import torch
from lightning.pytorch.loggers import Logger
from torch.utils.data import DataLoader

from motiongpt.training.optimizer_log import EPOCH, NORM, RATE, LogOptimizer


class Kept(Logger):
    name = version = ""

    def __init__(self):
        self.rows = []

    def log_metrics(self, metrics, step=None):
        self.rows.append((step, metrics))

    def log_hyperparams(self, params, *args, **kwargs):
        pass


class Line(pl.LightningModule):
    """Gradient of the loss is known: 3 times each of two inputs of 1."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(2, 1, bias=False)
        self.unused = torch.nn.Linear(2, 1)

    def training_step(self, batch, batch_idx):
        return 3 * self.layer(batch).sum()

    def configure_optimizers(self):
        optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
        halved = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": halved, "interval": "step"}}


@pytest.mark.parametrize("clipped", [None, 0.1])
def test_rate_norm_and_epoch_are_those_of_the_step(tmp_path, clipped):
    kept = Kept()
    trainer = pl.Trainer(
        max_steps=4, logger=kept, callbacks=[LogOptimizer(clips=8, batch_size=2, every=2)],
        log_every_n_steps=2, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, accelerator="cpu", default_root_dir=tmp_path,
        gradient_clip_val=clipped,
    )  # fmt: skip
    trainer.fit(Line(), DataLoader(torch.ones(4, 2), batch_size=1))
    rows = [(step, row) for step, row in kept.rows if RATE in row]
    assert [step for step, _ in rows] == [1, 3]
    assert [row[RATE] for _, row in rows] == [pytest.approx(0.05), pytest.approx(0.0125)]
    assert [row[NORM] for _, row in rows] == [pytest.approx(3 * math.sqrt(2))] * 2
    assert [row[EPOCH] for _, row in rows] == [0.5, 1.0]
    assert RATE not in trainer.callback_metrics
