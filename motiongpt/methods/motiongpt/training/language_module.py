"""The Lightning module of both language stages."""

from collections.abc import Callable, Iterable
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from motiongpt.backbones.base import Backbone
from motiongpt.distributed import sum_over_processes
from motiongpt.methods.motiongpt.training.language_batch import LanguageBatch
from motiongpt.methods.motiongpt.training.language_model_cost import language_flops
from motiongpt.training.frozen import has_frozen, leave_out_frozen
from motiongpt.training.global_means import RunningMeans, weights_of_parts
from motiongpt.training.step_cost import StepCost


class LanguageModule(pl.LightningModule):
    """Train a backbone on batches that `collate_parts` made.

    The gradients of a batch's parts are summed before the optimizer's one step (gradient
    accumulation): a batch of several parts gives what one of a single part gives, up to rounding
    and to what dropout draws.

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
        self.strict_loading = not has_frozen(backbone)

    def configure_model(self) -> None:
        """Called by Lightning: with `trainer.hardware.strategy=fsdp` the backbone is shared out."""
        if self.device_mesh is not None:
            from motiongpt.training.sharding import DATA, shard

            shard(self.backbone, self.device_mesh[DATA], ("loss_and_count",))

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Called by Lightning: frozen weights lie where the backbone was read."""
        if not self.strict_loading:
            checkpoint["state_dict"] = leave_out_frozen(self, checkpoint["state_dict"])

    def on_train_batch_start(self, batch: LanguageBatch, batch_idx: int) -> None:
        """Forget the last step's gradients, ahead of the first part's; their memory is free now."""
        self.zero_grad(set_to_none=True)

    def optimizer_zero_grad(self, epoch: int, batch_idx: int, optimizer: Optimizer) -> None:
        """Called by Lightning between the last part's forward and backward: nothing to forget."""

    def training_step(self, batch: LanguageBatch, batch_idx: int) -> Tensor:
        """Cross-entropy of one batch, of which the last part is left to Lightning's backward."""
        weights, shares = weights_of_parts(batch.label_counts, self.device)
        shown: Tensor | float = 0.0
        for part, weight, share in zip(batch.parts, weights, shares, strict=True):
            mean = self.backbone.loss(part)
            shown = shown + share * mean.detach()
            loss = weight * mean
            if part is not batch.parts[-1]:
                self._accumulate(loss)
        assert isinstance(shown, Tensor)
        self.log("train/loss", sum_over_processes(shown), prog_bar=False)
        return loss

    def on_validation_epoch_start(self) -> None:
        """Forget the last validation."""
        self._validated.start(self.device)

    def validation_step(self, batch: LanguageBatch, batch_idx: int) -> None:
        """Cross-entropy of one batch of the validation split."""
        for part in batch.parts:
            self._others_go_on(True)
            loss, count = self.backbone.loss_and_count(part)
            self._validated.add({"loss": loss}, count)

    def on_validation_epoch_end(self) -> None:
        """Log what all processes found together."""
        while self._others_go_on(False):
            self.backbone.loss(self._smallest_batch())
        self.log("val/loss", self._validated.over_processes()["loss"])

    def configure_optimizers(self) -> Any:
        """Optimizer and its schedule."""
        parameters = [value for value in self.backbone.parameters() if value.requires_grad]
        optimizer = self._make_optimizer(parameters)
        return {
            "optimizer": optimizer,
            "lr_scheduler": {"scheduler": self._make_scheduler(optimizer), "interval": "step"},
        }

    def step_cost(self, batch: LanguageBatch) -> StepCost:
        """What a step on `batch` amounts to."""
        flops = language_flops(self.backbone, batch.input_tokens, batch.target_tokens)
        return StepCost(
            batch.clips, batch.input_tokens + batch.target_tokens, batch.positions, flops
        )

    def _others_go_on(self, one_more: bool) -> bool:
        """Where weights are shared out, whether any process has a batch left to validate.

        All processes compute a forward together, then: who has fewer batches takes part in the
        others'. Each says before each forward whether it is of a batch of its own.
        """
        if self.device_mesh is None:
            return False
        return bool(sum_over_processes(torch.tensor(float(one_more), device=self.device)) > 0)

    def _smallest_batch(self) -> dict[str, Tensor]:
        """One token that follows another: what is computed of it counts nowhere."""
        end = [[self.backbone.token_ids.end_of_text]]
        return {k: v.to(self.device) for k, v in self.backbone.collate_ids(end, end).items()}

    def _accumulate(self, loss: Tensor) -> None:
        """Add the gradients of a part that is not the last; processes exchange nothing yet.

        DDP exchanges what has been summed in the backward of the loss that the step returns: it
        makes ready for it when the step's forward ends, and passes over every backward before.
        """
        with torch.autocast(self.device.type, enabled=False):  # as Lightning's own backward
            self.trainer.strategy.backward(loss, None)
