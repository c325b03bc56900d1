"""The Lightning modules of TM2T's two stages."""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

import lightning.pytorch as pl
import numpy as np
from torch import Tensor, nn
from torch.optim import Optimizer

from motiongpt.methods.tm2t.examples import PairBatch
from motiongpt.methods.tm2t.inverse import meant, soft_rows
from motiongpt.methods.tm2t.rows import Forcing, Tokens, motion_marks, token_losses
from motiongpt.methods.tm2t.seq2seq import WordsToCodes
from motiongpt.methods.tm2t.translator import Translator
from motiongpt.training.global_means import RunningMeans, over_global_batch
from motiongpt.training.step_cost import FORWARD_AND_BACKWARD, StepCost

MakeOptimizer = Callable[[Iterable[nn.Parameter]], Optimizer]
MakeScheduler = Callable[[Optimizer], Any]


class TranslationModule(pl.LightningModule):
    """Train a network of ids; logs `train/loss`, `val/loss` and `val/accuracy` per id.

    Args:
        network: to be trained.
        summed: the loss is the sum over a step's ids, as released, not their mean: only with a
            clipped gradient does that make a difference.
        make_optimizer: parameters -> optimizer, learning rate included.
        make_scheduler: optimizer -> schedule, stepped after every training step.
    """

    def __init__(
        self,
        network: nn.Module,
        summed: bool,
        make_optimizer: MakeOptimizer,
        make_scheduler: MakeScheduler,
    ) -> None:
        super().__init__()
        self.network, self.summed = network, summed
        self._make_optimizer, self._make_scheduler = make_optimizer, make_scheduler
        self._validated = RunningMeans(("loss", "accuracy"))
        self._per_token = sum(p.numel() for p in network.parameters())

    @abstractmethod
    def tokens(self, batch: PairBatch) -> Tokens:
        """Of a batch of the validation, its own ids read."""

    @abstractmethod
    def ids_of(self, batch: PairBatch) -> tuple[int, int]:
        """Ids that a step on `batch` reads, without and with padding."""

    def over_all(self, total: Tensor, counted: Tensor, name: str) -> Tensor:
        """The loss of a step of which `total` is this process's sum over so many ids."""
        shown, weight = over_global_batch({"loss": total / counted}, counted)
        self.log(f"train/{name}", shown["loss"])
        if self.summed:
            return total * self.trainer.world_size
        return weight * (total / counted)

    def on_validation_epoch_start(self) -> None:
        """Forget the last validation."""
        self._validated.start(self.device)

    def validation_step(self, batch: PairBatch, batch_idx: int) -> None:
        """Loss and hits of one batch of the validation split."""
        found = self.tokens(batch)
        means = {"loss": found.losses / found.counted, "accuracy": found.hits / found.counted}
        self._validated.add(means, int(found.counted))

    def on_validation_epoch_end(self) -> None:
        """Log what all processes found together."""
        for name, value in self._validated.over_processes().items():
            self.log(f"val/{name}", value)

    def configure_optimizers(self) -> Any:
        """Optimizer and its schedule."""
        optimizer = self._make_optimizer(self.network.parameters())
        schedule = {"scheduler": self._make_scheduler(optimizer), "interval": "step"}
        return {"optimizer": optimizer, "lr_scheduler": schedule}

    def step_cost(self, batch: PairBatch) -> StepCost:
        """What a step on `batch` amounts to; attention is left out."""
        ids, positions = self.ids_of(batch)
        flops = 2.0 * FORWARD_AND_BACKWARD * self._per_token * ids
        return StepCost(len(batch.codes), ids, positions, flops)


class ToTextModule(TranslationModule):
    """Codes into words.

    Args:
        network: reads codes.
        codebook_size: of the codes.
        pad: of the words.
        smoothing: of the labels.
        others: see `TranslationModule`.
    """

    network: Translator

    def __init__(
        self, network: Translator, codebook_size: int, pad: int, smoothing: float, *others: Any
    ) -> None:
        super().__init__(network, *others)
        self.marks, self.pad, self.smoothing = motion_marks(codebook_size), pad, smoothing

    def training_step(self, batch: PairBatch, batch_idx: int) -> Tensor:
        """Loss of one batch."""
        found = self._tokens(batch, self.smoothing)
        return self.over_all(found.losses, found.counted, "loss")

    def tokens(self, batch: PairBatch) -> Tokens:
        """See `TranslationModule`."""
        return self._tokens(batch, 0.0)

    def ids_of(self, batch: PairBatch) -> tuple[int, int]:
        """See `TranslationModule`."""
        positions = batch.codes.numel() + batch.words.numel()
        return sum(map(sum, batch.counts)), positions

    def _tokens(self, batch: PairBatch, smoothing: float) -> Tokens:
        read = batch.words[:, :-1]
        present = batch.codes != self.marks.pad
        logits = self.network(batch.codes, present, read, read != self.pad)
        return token_losses(logits, batch.words[:, 1:], self.pad, smoothing)


class ToMotionModule(TranslationModule):
    """Words into codes, some batches from its own codes, and the way back to the words.

    Args:
        network: reads words.
        translator: of codes into words, trained; its weights stay.
        codebook_size: of the codes.
        pad: of the words.
        forcing: how often a batch reads its own codes, at a step.
        inverse: weight of the loss of the way back; 0 goes no way back.
        seed: of whether a batch reads its own codes.
        others: see `TranslationModule`.
    """

    network: WordsToCodes

    def __init__(
        self,
        network: WordsToCodes,
        translator: Translator,
        codebook_size: int,
        pad: int,
        forcing: Forcing,
        inverse: float,
        seed: int,
        *others: Any,
    ) -> None:
        super().__init__(network, *others)
        self.marks, self.pad = motion_marks(codebook_size), pad
        self.forcing, self.inverse, self.seed = forcing, inverse, seed
        # not a part of this module: its weights are in no checkpoint of it
        self._translator = [translator.eval().requires_grad_(False)]

    def training_step(self, batch: PairBatch, batch_idx: int) -> Tensor:
        """Loss of one batch."""
        step = self.trainer.global_step
        coin = np.random.default_rng([self.seed, step]).random()
        found = self._tokens(batch, forced=bool(coin < self.forcing.at(step)))
        loss = self.over_all(found.losses, found.counted, "loss")
        if self.inverse:
            back = self.way_back(batch)
            loss = loss + self.inverse * self.over_all(back.losses, back.counted, "inverse")
        return loss

    def tokens(self, batch: PairBatch) -> Tokens:
        """See `TranslationModule`."""
        return self._tokens(batch, forced=True)

    def ids_of(self, batch: PairBatch) -> tuple[int, int]:
        """See `TranslationModule`; the way back is left out."""
        return sum(codes for codes, _ in batch.counts), batch.codes.numel()

    def way_back(self, batch: PairBatch) -> Tokens:
        """The words of codes that were drawn for them."""
        translator = self._translator[0].to(self.device)
        texts = batch.texts
        counts = (~texts.hidden).sum(1)
        rows, lengths = soft_rows(self.network, texts.features, counts, batch.gumbel, self.marks)
        released = self.network.released
        logits = meant(translator, rows, lengths, batch.words, self.marks, self.pad, released)
        return token_losses(logits, batch.words[:, 1:], self.pad)

    def _tokens(self, batch: PairBatch, forced: bool) -> Tokens:
        counts = (~batch.texts.hidden).sum(1)
        logits = self.network(batch.texts.features, counts, batch.codes[:, :-1], forced)
        return token_losses(logits, batch.codes[:, 1:], self.marks.pad)
