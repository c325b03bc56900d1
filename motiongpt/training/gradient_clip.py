"""Gradients that are too long, cut before a step of the optimizer, in any precision.

Lightning's own cut refuses an optimizer of one fused kernel in every mixed precision; only that of
float16, whose gradients are scaled until that kernel has them, has a reason to.
"""

from collections.abc import Iterator

import lightning.pytorch as pl
from torch import nn
from torch.optim import Optimizer

from motiongpt.errors import UserError


class ClipGradients(pl.Callback):
    """Cuts the gradients of all weights together to a norm; they may be shared out.

    Args:
        name: of the stage.
        norm: that they have at most; None cuts nothing.
        precision: as Lightning names it.
    """

    def __init__(self, name: str, norm: float | None, precision: str) -> None:
        self.name, self.norm, self.precision = name, norm, precision

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Called by Lightning, when there are optimizers.

        Raises:
            UserError: float16 and a fused optimizer.
        """
        fused = any(optimizer.defaults.get("fused") for optimizer in trainer.optimizers)
        if self.norm is not None and self.precision.startswith("16") and fused:
            raise UserError(
                f"stage {self.name}: precision={self.precision} can't clip gradients of a fused "
                "optimizer; set optimizer.fused=false, or trainer.precision=bf16-mixed"
            )

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, module: pl.LightningModule, optimizer: Optimizer
    ) -> None:
        """Called by Lightning, with gradients that are whole."""
        if self.norm is not None:
            nn.utils.clip_grad_norm_(_weights(optimizer), self.norm)


def _weights(optimizer: Optimizer) -> Iterator[nn.Parameter]:
    return (weight for group in optimizer.param_groups for weight in group["params"])
