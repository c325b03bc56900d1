"""The Lightning module of both language stages."""

from collections.abc import Callable, Iterable
from typing import Any

import lightning.pytorch as pl
from torch import Tensor, nn
from torch.optim import Optimizer

from motiongpt.backbones.base import Backbone
from motiongpt.training.global_means import RunningMeans, over_global_batch


class LanguageModule(pl.LightningModule):
    """Train a backbone on batches that its own `collate` made.

    Logs `train/loss` of a step's whole batch and `val/loss` of the whole validation split: cross
    entropy in nats, the mean over all labels, on any number of processes.

    Args:
        backbone: language model with its loss.
        make_optimizer: parameters -> optimizer, learning rate included.
        make_scheduler: optimizer -> schedule, stepped after every training step.
    """

    def __init__(
        self,
        backbone: Backbone,
        make_optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        make_scheduler: Callable[[Optimizer], Any],
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self._make_optimizer, self._make_scheduler = make_optimizer, make_scheduler
        self._validated = RunningMeans(("loss",))

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Cross-entropy of one batch."""
        loss, count = self.backbone.loss_and_count(batch)
        shown, weight = over_global_batch({"loss": loss}, count)
        self.log("train/loss", shown["loss"], prog_bar=False)
        return weight * loss

    def on_validation_epoch_start(self) -> None:
        """Forget the last validation."""
        self._validated.start(self.device)

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Cross-entropy of one batch of the validation split."""
        loss, count = self.backbone.loss_and_count(batch)
        self._validated.add({"loss": loss}, count)

    def on_validation_epoch_end(self) -> None:
        """Log what all processes found together."""
        self.log("val/loss", self._validated.over_processes()["loss"])

    def configure_optimizers(self) -> Any:
        """Optimizer and its schedule."""
        parameters = [value for value in self.backbone.parameters() if value.requires_grad]
        optimizer = self._make_optimizer(parameters)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": self._make_scheduler(optimizer), "interval": "step"},
        }
