"""The Lightning modules of MoMask's stages: one training loop, three networks."""

from abc import abstractmethod
from collections.abc import Callable, Iterable
from typing import Any

import lightning.pytorch as pl
from torch import Tensor, nn
from torch.optim import Optimizer

from motiongpt.methods.momask.examples import LengthRow, MaskedRow, ResidualRow
from motiongpt.methods.momask.length import LengthEstimator
from motiongpt.methods.momask.losses import token_means
from motiongpt.methods.momask.masked import MaskedTransformer
from motiongpt.methods.momask.residual import ResidualTransformer
from motiongpt.training.global_means import RunningMeans, over_global_batch
from motiongpt.training.step_cost import FORWARD_AND_BACKWARD, StepCost

EMBEDDINGS = ("token_embedding", "embedding_tables", "shared_tables", "output_tables")


class TokenModule(pl.LightningModule):
    """Train a network that names the right class of each target.

    Logs `train/loss` of a step's whole batch, and of the whole validation split `val/loss` and
    `val/accuracy`, the share of targets whose likeliest class is right; means over targets, the
    same on any number of processes.

    Args:
        network: to be trained.
        make_optimizer: parameters -> optimizer, learning rate included.
        make_scheduler: optimizer -> schedule, stepped after every training step.
    """

    def __init__(
        self,
        network: nn.Module,
        make_optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        make_scheduler: Callable[[Optimizer], Any],
    ) -> None:
        super().__init__()
        self.network: Any = network
        self._make_optimizer, self._make_scheduler = make_optimizer, make_scheduler
        self._validated = RunningMeans(("loss", "accuracy"))
        self._per_token = sum(
            p.numel() for name, p in network.named_parameters() if not name.startswith(EMBEDDINGS)
        )

    @abstractmethod
    def logits(self, batch: Any) -> Tensor:
        """(B, …, A) of a batch's targets."""

    @abstractmethod
    def labels(self, batch: Any) -> Tensor:
        """(B, …), see `token_means`."""

    @abstractmethod
    def tokens(self, batch: Any) -> tuple[int, int, int]:
        """Rows, tokens and padded positions of a batch, without asking the device."""

    @abstractmethod
    def targets(self, batch: Any) -> int:
        """How many there are in a batch, perhaps none."""

    def training_step(self, batch: Any, batch_idx: int) -> Tensor:
        """Loss of one batch."""
        loss = token_means(self.logits(batch), self.labels(batch)).loss
        shown, weight = over_global_batch({"loss": loss}, max(1, self.targets(batch)))
        self.log("train/loss", shown["loss"])
        return weight * loss

    def on_validation_epoch_start(self) -> None:
        """Forget the last validation."""
        self._validated.start(self.device)

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Loss and hits of one batch of the validation split."""
        found = token_means(self.logits(batch), self.labels(batch))
        self._validated.add(found._asdict(), self.targets(batch))

    def on_validation_epoch_end(self) -> None:
        """Log what all processes found together."""
        for name, value in self._validated.over_processes().items():
            self.log(f"val/{name}", value)

    def configure_optimizers(self) -> Any:
        """Optimizer and its schedule."""
        optimizer = self._make_optimizer(self.network.parameters())
        schedule = {"scheduler": self._make_scheduler(optimizer), "interval": "step"}
        return {"optimizer": optimizer, "lr_scheduler": schedule}

    def step_cost(self, batch: Any) -> StepCost:
        """What a step on `batch` amounts to; attention's products, a few per cent, are left out."""
        rows, tokens, positions = self.tokens(batch)
        flops = 2.0 * FORWARD_AND_BACKWARD * self._per_token * tokens
        return StepCost(rows, tokens, positions, flops)


class MaskedModule(TokenModule):
    """Trains a `MaskedTransformer` on batches of `collate_masked`."""

    network: MaskedTransformer

    def logits(self, batch: MaskedRow) -> Tensor:
        """See `TokenModule`."""
        found: Tensor = self.network(batch.inputs, batch.text, batch.padding)
        return found

    def labels(self, batch: MaskedRow) -> Tensor:
        """See `TokenModule`."""
        return batch.labels

    def tokens(self, batch: MaskedRow) -> tuple[int, int, int]:
        """See `TokenModule`; padding is counted as content, it is a few tokens."""
        rows, positions = batch.inputs.shape
        return rows, rows * positions, rows * positions

    def targets(self, batch: MaskedRow) -> int:
        """See `TokenModule`."""
        return batch.targets


class ResidualModule(TokenModule):
    """Trains a `ResidualTransformer` on batches of `collate_residual`."""

    network: ResidualTransformer

    def logits(self, batch: ResidualRow) -> Tensor:
        """See `TokenModule`."""
        history = self.network.history(batch.codes, batch.codebook)
        found: Tensor = self.network(history, batch.codebook, batch.text, batch.padding)
        return found

    def labels(self, batch: ResidualRow) -> Tensor:
        """See `TokenModule`."""
        return batch.labels

    def tokens(self, batch: ResidualRow) -> tuple[int, int, int]:
        """See `TokenModule`."""
        rows, positions = batch.labels.shape
        return rows, batch.targets, rows * positions

    def targets(self, batch: ResidualRow) -> int:
        """See `TokenModule`."""
        return batch.targets


class LengthModule(TokenModule):
    """Trains a `LengthEstimator` on batches of `collate_lengths`; a target is a clip."""

    network: LengthEstimator

    def logits(self, batch: LengthRow) -> Tensor:
        """See `TokenModule`."""
        found: Tensor = self.network(batch.text)
        return found

    def labels(self, batch: LengthRow) -> Tensor:
        """See `TokenModule`."""
        return batch.tokens

    def tokens(self, batch: LengthRow) -> tuple[int, int, int]:
        """See `TokenModule`."""
        rows = len(batch.text)
        return rows, rows, rows

    def targets(self, batch: LengthRow) -> int:
        """See `TokenModule`."""
        return len(batch.text)
