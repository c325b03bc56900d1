"""The Lightning module of both language stages."""

from collections.abc import Callable, Iterable
from typing import Any

import lightning.pytorch as pl
from torch import Tensor, nn
from torch.optim import Optimizer

from motiongpt.backbones.base import Backbone


class LanguageModule(pl.LightningModule):
    """Train a backbone on batches that its own `collate` made.

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

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Cross-entropy of one batch."""
        loss = self.backbone.loss(batch)
        self.log("train/loss", loss.detach(), prog_bar=False)
        return loss

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Cross-entropy on the validation split, averaged over examples."""
        self.log(
            "val/loss", self.backbone.loss(batch), batch_size=len(batch["labels"]), sync_dist=True
        )

    def configure_optimizers(self) -> Any:
        """Optimizer and its schedule."""
        parameters = [value for value in self.backbone.parameters() if value.requires_grad]
        optimizer = self._make_optimizer(parameters)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": self._make_scheduler(optimizer), "interval": "step"},
        }
