"""The Lightning module of T2M-GPT's stage."""

from collections.abc import Callable, Iterable
from typing import Any

import lightning.pytorch as pl
from torch import Tensor, nn
from torch.optim import Optimizer

from motiongpt.methods.t2m_gpt.network import CodeTransformer
from motiongpt.methods.t2m_gpt.rows import RowBatch, RowMeans, row_means
from motiongpt.training.global_means import RunningMeans, over_global_batch
from motiongpt.training.step_cost import FORWARD_AND_BACKWARD, StepCost


class CodeTransformerModule(pl.LightningModule):
    """Train a transformer on batches that `rows.collate` made.

    Logs `train/loss` of a step's whole batch, and of the whole validation split `val/loss`, the
    mean over rows, and `val/accuracy`, the share of positions whose likeliest id is right; the same
    on any number of processes.

    Args:
        network: to be trained.
        make_optimizer: parameters -> optimizer, learning rate included.
        make_scheduler: optimizer -> schedule, stepped after every training step.
    """

    def __init__(
        self,
        network: CodeTransformer,
        make_optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        make_scheduler: Callable[[Optimizer], Any],
    ) -> None:
        super().__init__()
        self.network = network
        self._make_optimizer, self._make_scheduler = make_optimizer, make_scheduler
        self._rows, self._positions = RunningMeans(("loss",)), RunningMeans(("accuracy",))
        self._per_position, self._per_row = _multiplications(network)

    def training_step(self, batch: RowBatch, batch_idx: int) -> Tensor:
        """Loss of one batch."""
        loss = self._means(batch).loss
        shown, weight = over_global_batch({"loss": loss}, len(batch.inputs))
        self.log("train/loss", shown["loss"])
        return weight * loss

    def on_validation_epoch_start(self) -> None:
        """Forget the last validation."""
        for means in (self._rows, self._positions):
            means.start(self.device)

    def validation_step(self, batch: RowBatch, batch_idx: int) -> None:
        """Loss and hits of one batch of the validation split."""
        found = self._means(batch)
        self._rows.add({"loss": found.loss}, len(batch.inputs))
        self._positions.add({"accuracy": found.hits / batch.counted}, batch.counted)

    def on_validation_epoch_end(self) -> None:
        """Log what all processes found together."""
        for means in (self._rows, self._positions):
            for name, value in means.over_processes().items():
                self.log(f"val/{name}", value)

    def configure_optimizers(self) -> Any:
        """Optimizer and its schedule."""
        optimizer = self._make_optimizer(self.network.parameters())
        schedule = {"scheduler": self._make_scheduler(optimizer), "interval": "step"}
        return {"optimizer": optimizer, "lr_scheduler": schedule}

    def step_cost(self, batch: RowBatch) -> StepCost:
        """What a step on `batch` amounts to; a token is one of motion or the stop."""
        clips, positions = batch.targets.shape
        used = self._per_position * batch.counted + self._per_row * clips
        flops = 2.0 * FORWARD_AND_BACKWARD * used
        return StepCost(clips, batch.counted, clips * positions, flops)

    def _means(self, batch: RowBatch) -> RowMeans:
        return row_means(self.network(batch.text, batch.inputs), batch.targets, batch.lengths)


def _multiplications(network: CodeTransformer) -> tuple[int, int]:
    """Parameters that multiply every position, and those that multiply a row's text alone.

    The products of attention between positions, below 3 % at 50 of them, are left out.
    """
    once = network.text_projection.weight.numel()
    embedding = network.token_embedding.weight.numel()
    return sum(p.numel() for p in network.parameters()) - once - embedding, once
