"""The look at losses and weights of `motiongpt.training.finite`, in a training of Lightning's."""

from collections.abc import Callable
from typing import Any

import lightning.pytorch as pl
import torch

from motiongpt.errors import UserError
from motiongpt.training.finite import EVERY, NEVER, LossWatch, are_finite, not_finite


class StopWhenNotFinite(pl.Callback):
    """Ends a training whose loss or weights are not finite, all processes at the same step.

    No checkpoint is written of what is not finite: the last one stays a sound one.

    Args:
        name: of the stage.
        advice: tells the likely cause, given the step; asked once, at the end.
    """

    def __init__(self, name: str, advice: Callable[[pl.Trainer], str]) -> None:
        self.name, self.advice, self._watch = name, advice, LossWatch()

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        """Called by Lightning, after a checkpoint was loaded.

        Raises:
            UserError: a weight is not finite already.
        """
        self._check_weights(trainer, module)

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Called by Lightning.

        Raises:
            UserError: the loss of this or of an earlier step was not finite; at the last step, a
                weight is not.
        """
        step = trainer.global_step
        self._watch.see(step, outputs["loss"])
        if step >= trainer.max_steps:
            self._check(trainer, module)
        elif step % EVERY == 0:
            self._check_losses(trainer, module)

    def on_save_checkpoint(
        self, trainer: pl.Trainer, module: pl.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Called by Lightning on all processes, before anything is written.

        Raises:
            UserError: as `on_train_batch_end` at the last step.
        """
        self._check(trainer, module)

    def _check(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self._check_losses(trainer, module)
        self._check_weights(trainer, module)

    def _check_losses(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        # Each process has a loss of its own, and all must end at the same step.
        here = self._watch.first().to(module.device)
        first = int(trainer.strategy.all_gather(here).min())
        if first != NEVER:
            raise self._error(trainer, "the loss", first)

    def _check_weights(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        # Each process may have a part of the weights, and all must end at the same step.
        here = torch.tensor(are_finite(module.parameters()), device=module.device)
        if not bool(trainer.strategy.all_gather(here).all()):
            raise self._error(trainer, "a weight", trainer.global_step)

    def _error(self, trainer: pl.Trainer, what: str, step: int) -> UserError:
        steps = int(trainer.max_steps)
        return not_finite(f"stage {self.name}", what, step, steps, self.advice(trainer))
