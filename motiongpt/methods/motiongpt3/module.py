"""The Lightning module of MotionGPT3's stage."""

from collections.abc import Callable, Iterable
from typing import Any

import lightning.pytorch as pl
from torch import Tensor, nn
from torch.optim import Optimizer

from motiongpt.methods.motiongpt3.diffusion import Diffusion
from motiongpt.methods.motiongpt3.examples import Pair
from motiongpt.methods.motiongpt3.network import Losses, MotionLanguageModel
from motiongpt.training.global_means import RunningMeans, over_global_batch
from motiongpt.training.step_cost import FORWARD_AND_BACKWARD, StepCost


class MotionLanguageModule(pl.LightningModule):
    """Train language model and head together on batches that `examples.collate` made.

    Logs for train and val the head's `diffusion`, the captions' `text` and their weighted sum
    `loss`, the same on any number of processes.

    Args:
        network: to be trained.
        weights: of `diffusion` and of `text`.
        make_optimizer: parameters -> optimizer, learning rate included.
        head_rate: learning rate of the diffusion head; None for that of all.
        make_scheduler: optimizer -> schedule, stepped after every training step.
    """

    def __init__(
        self,
        network: MotionLanguageModel,
        weights: tuple[float, float],
        make_optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        make_scheduler: Callable[[Optimizer], Any],
        head_rate: float | None = None,
    ) -> None:
        super().__init__()
        self.head_rate = head_rate
        self.network, self.weights, self.chain = network, weights, Diffusion()
        self._make_optimizer, self._make_scheduler = make_optimizer, make_scheduler
        self._diffusion, self._text = RunningMeans(("diffusion",)), RunningMeans(("text",))
        self._numbers = sum(p.numel() for p in network.parameters())

    def training_step(self, batch: Pair, batch_idx: int) -> Tensor:
        """Weighted loss of one batch."""
        found = self._losses(batch)
        clips, clip_weight = over_global_batch({"diffusion": found.diffusion}, len(batch.latents))
        words, word_weight = over_global_batch({"text": found.text}, batch.counted)
        for name, value in (clips | words).items():
            self.log(f"train/{name}", value)
        first, second = self.weights
        self.log("train/loss", first * clips["diffusion"] + second * words["text"])
        return first * clip_weight * found.diffusion + second * word_weight * found.text

    def on_validation_epoch_start(self) -> None:
        """Forget the last validation."""
        self._diffusion.start(self.device)
        self._text.start(self.device)

    def validation_step(self, batch: Pair, batch_idx: int) -> None:
        """Losses of one batch of the validation split."""
        found = self._losses(batch)
        self._diffusion.add({"diffusion": found.diffusion}, len(batch.latents))
        self._text.add({"text": found.text}, batch.counted)

    def on_validation_epoch_end(self) -> None:
        """Log what all processes found together."""
        found = self._diffusion.over_processes() | self._text.over_processes()
        first, second = self.weights
        found["loss"] = first * found["diffusion"] + second * found["text"]
        for name, value in found.items():
            self.log(f"val/{name}", value)

    def configure_optimizers(self) -> Any:
        """Optimizer and its schedule."""
        optimizer = self._make_optimizer(self._trained())
        schedule = {"scheduler": self._make_scheduler(optimizer), "interval": "step"}
        return {"optimizer": optimizer, "lr_scheduler": schedule}

    def _losses(self, batch: Pair) -> Losses:
        """Of what has a weight."""
        return self.network.losses(batch, self.chain, text=self.weights[1] > 0)

    def _trained(self) -> Any:
        """What the optimizer is given: weights that are not frozen, the head's apart if need be."""
        head = [p for p in self.network.head.parameters() if p.requires_grad]
        of_head = {id(p) for p in head}
        others = [p for p in self.network.parameters() if p.requires_grad and id(p) not in of_head]
        if self.head_rate is None:
            return [*others, *head]
        return [{"params": others}, {"params": head, "lr": self.head_rate}]

    def step_cost(self, batch: Pair) -> StepCost:
        """What a step on `batch` amounts to; every token is taken to meet every weight once."""
        clips, longest = batch.ids.shape
        states = self.network.language.hidden_tokens * clips
        tokens = batch.counted + states
        flops = 2.0 * FORWARD_AND_BACKWARD * self._numbers * tokens
        return StepCost(clips, tokens, clips * longest + states, flops)
