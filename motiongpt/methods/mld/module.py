"""The Lightning module of MLD's stage."""

from collections.abc import Callable, Iterable
from typing import Any

import lightning.pytorch as pl
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer

from motiongpt.methods.mld.denoiser import CONDITIONS, LatentDenoiser
from motiongpt.methods.mld.examples import LatentExample
from motiongpt.methods.mld.schedule import NoiseSchedule
from motiongpt.training.global_means import RunningMeans, over_global_batch
from motiongpt.training.step_cost import FORWARD_AND_BACKWARD, StepCost


class LatentDiffusionModule(pl.LightningModule):
    """Train a denoiser on batches that `examples.collate` made.

    Logs `train/loss` of a step's whole batch and `val/loss` of the whole validation split: the mean
    square of what the predicted noise is off by. Training hides the captions that are marked, to
    have a prediction without words for the guidance; validation hides none.

    Args:
        denoiser: to be trained.
        schedule: of the noise.
        null_text: (X,) features of the empty string, which stands for a hidden caption.
        make_optimizer: parameters -> optimizer, learning rate included.
        make_scheduler: optimizer -> schedule, stepped after every training step.
    """

    null_text: Tensor

    def __init__(
        self,
        denoiser: LatentDenoiser,
        schedule: NoiseSchedule,
        null_text: Tensor,
        make_optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        make_scheduler: Callable[[Optimizer], Any],
    ) -> None:
        super().__init__()
        self.denoiser, self.schedule = denoiser, schedule
        self.register_buffer("null_text", null_text, persistent=False)
        self._make_optimizer, self._make_scheduler = make_optimizer, make_scheduler
        self._validated = RunningMeans(("loss",))
        unused = denoiser.positions.numel()
        self._per_token = sum(p.numel() for p in denoiser.parameters()) - unused

    def training_step(self, batch: LatentExample, batch_idx: int) -> Tensor:
        """Loss of one batch."""
        texts = torch.where(batch.dropped[:, None], self.null_text, batch.texts)
        loss = self._loss(batch, texts)
        shown, weight = over_global_batch({"loss": loss}, len(batch.latents))
        self.log("train/loss", shown["loss"])
        return weight * loss

    def on_validation_epoch_start(self) -> None:
        """Forget the last validation."""
        self._validated.start(self.device)

    def validation_step(self, batch: LatentExample, batch_idx: int) -> None:
        """Loss of one batch of the validation split."""
        self._validated.add({"loss": self._loss(batch, batch.texts)}, len(batch.latents))

    def on_validation_epoch_end(self) -> None:
        """Log what all processes found together."""
        self.log("val/loss", self._validated.over_processes()["loss"])

    def configure_optimizers(self) -> Any:
        """Optimizer and its schedule."""
        optimizer = self._make_optimizer(self.denoiser.parameters())
        schedule = {"scheduler": self._make_scheduler(optimizer), "interval": "step"}
        return {"optimizer": optimizer, "lr_scheduler": schedule}

    def step_cost(self, batch: LatentExample) -> StepCost:
        """What a step on `batch` amounts to; a token is one of the denoiser's sequence.

        Attention between the few tokens is left out.
        """
        clips = len(batch.latents)
        tokens = clips * (self.denoiser.latent_tokens + CONDITIONS)
        return StepCost(
            clips, tokens, tokens, 2.0 * FORWARD_AND_BACKWARD * self._per_token * tokens
        )

    def _loss(self, batch: LatentExample, texts: Tensor) -> Tensor:
        noisy = self.schedule.add_noise(batch.latents, batch.noise, batch.steps)
        predicted = self.denoiser(noisy, batch.steps, texts)
        return F.mse_loss(predicted.float(), batch.noise)
