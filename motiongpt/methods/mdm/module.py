"""The Lightning module of MDM's stage."""

from collections.abc import Callable, Iterable
from typing import Any

import lightning.pytorch as pl
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from motiongpt.methods.mdm.examples import MotionBatch
from motiongpt.methods.mdm.losses import Losses
from motiongpt.methods.mdm.network import MotionDenoiser
from motiongpt.methods.mdm.schedule import NoiseSchedule
from motiongpt.text_encoders.texts import Texts
from motiongpt.training.global_means import RunningMeans, over_global_batch
from motiongpt.training.step_cost import FORWARD_AND_BACKWARD, StepCost


class MotionDiffusionModule(pl.LightningModule):
    """Train a denoiser on batches that `examples.collate` made.

    Logs `train/loss` of a step's whole batch and `val/loss` of the whole validation split. Training
    hides the captions that are marked, to have a motion without words for the guidance; validation
    hides none, and asks the averaged weights where there are some.

    Args:
        denoiser: to be trained.
        schedule: of the noise.
        losses: what its motions are worth.
        average: share of the averaged weights that stays after each step; None averages none.
        make_optimizer: parameters -> optimizer, learning rate included.
        make_scheduler: optimizer -> schedule, stepped after every training step.
    """

    def __init__(
        self,
        denoiser: MotionDenoiser,
        schedule: NoiseSchedule,
        losses: Losses,
        average: float | None,
        make_optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        make_scheduler: Callable[[Optimizer], Any],
    ) -> None:
        super().__init__()
        self.denoiser, self.schedule, self.losses = denoiser, schedule, losses
        self.averaged: AveragedModel | None = None
        if average is not None:
            self.averaged = AveragedModel(denoiser, multi_avg_fn=get_ema_multi_avg_fn(average))
            self.averaged.requires_grad_(False)
            self.averaged.update_parameters(denoiser)  # the first time it copies
        self._make_optimizer, self._make_scheduler = make_optimizer, make_scheduler
        self._validated = RunningMeans(("loss",))
        self._per_token = sum(p.numel() for p in denoiser.parameters())

    @property
    def trained(self) -> MotionDenoiser:
        """The weights that count: averaged over the steps, if they are."""
        found = self.denoiser if self.averaged is None else self.averaged.module
        assert isinstance(found, MotionDenoiser)
        return found

    def training_step(self, batch: MotionBatch, batch_idx: int) -> Tensor:
        """Loss of one batch."""
        loss = self._loss(self.denoiser, batch, batch.texts.without(batch.dropped))
        shown, weight = over_global_batch({"loss": loss}, len(batch.motion))
        self.log("train/loss", shown["loss"])
        return weight * loss

    def optimizer_step(self, *arguments: Any, **named: Any) -> None:
        """A step, and the averaged weights after it, so that a checkpoint has both."""
        super().optimizer_step(*arguments, **named)
        if self.averaged is not None:
            self.averaged.update_parameters(self.denoiser)

    def on_validation_epoch_start(self) -> None:
        """Forget the last validation."""
        self._validated.start(self.device)

    def validation_step(self, batch: MotionBatch, batch_idx: int) -> None:
        """Loss of one batch of the validation split."""
        loss = self._loss(self.trained, batch, batch.texts)
        self._validated.add({"loss": loss}, len(batch.motion))

    def on_validation_epoch_end(self) -> None:
        """Log what all processes found together."""
        self.log("val/loss", self._validated.over_processes()["loss"])

    def configure_optimizers(self) -> Any:
        """Optimizer and its schedule."""
        optimizer = self._make_optimizer(self.denoiser.parameters())
        schedule = {"scheduler": self._make_scheduler(optimizer), "interval": "step"}
        return {"optimizer": optimizer, "lr_scheduler": schedule}

    def step_cost(self, batch: MotionBatch) -> StepCost:
        """What a step on `batch` amounts to; a token is a frame.

        Attention of n frames takes 4 n² width operations a layer forward.
        """
        clips, longest = batch.motion.shape[:2]
        frames = sum(batch.counts)
        pairs = sum(count**2 for count in batch.counts)
        layers, width = self.denoiser.arguments()["layers"], self.denoiser.width
        flops = 2.0 * self._per_token * frames + 4.0 * pairs * width * layers
        return StepCost(clips, frames, clips * longest, FORWARD_AND_BACKWARD * flops)

    def _loss(self, denoiser: MotionDenoiser, batch: MotionBatch, texts: Texts) -> Tensor:
        noisy = self.schedule.add_noise(batch.motion, batch.noise, batch.steps)
        predicted = denoiser(noisy, batch.steps, texts, batch.lengths)
        return self.losses.of_rows(predicted, batch.motion, batch.lengths).mean()
