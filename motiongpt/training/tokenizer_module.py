"""The Lightning module of the tokenizer stage."""

from collections.abc import Callable, Iterable
from typing import Any

import lightning.pytorch as pl
import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.skeleton import Skeleton
from motiongpt.tokenizers.base import MotionTokenizer, TokenizerOutput
from motiongpt.tokenizers.masking import length_mask
from motiongpt.tokenizers.quantizers.processes import sum_over_processes
from motiongpt.training.tokenizer_losses import TokenizerLosses

MILLIMETRES = 1000.0


class TokenizerModule(pl.LightningModule):
    """Train a tokenizer on batches {"features": (B, T, F) normalised, "lengths": (B,) frames}.

    Logs, for train and val: the unweighted losses, their weighted sum and the perplexity; for val
    also `val/codebook_usage` (share of the codes that the split uses) and `val/mpjpe_mm` (mean
    distance of joints in millimetres, each frame moved so that the roots coincide).

    Args:
        tokenizer: to be trained.
        losses: of its output.
        skeleton: of the features.
        mean, std: (F,) of the features' normalisation.
        make_optimizer: parameters -> optimizer, learning rate included.
        make_scheduler: optimizer -> schedule, stepped after every training step.
    """

    mean: Tensor
    std: Tensor
    code_counts: Tensor

    def __init__(
        self,
        tokenizer: MotionTokenizer,
        losses: TokenizerLosses,
        skeleton: Skeleton,
        mean: Tensor,
        std: Tensor,
        make_optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        make_scheduler: Callable[[Optimizer], Any] | None = None,
    ) -> None:
        super().__init__()
        self.tokenizer, self.losses, self.skeleton = tokenizer, losses, skeleton
        self._make_optimizer, self._make_scheduler = make_optimizer, make_scheduler
        self.register_buffer("mean", torch.as_tensor(mean, dtype=torch.float32))
        self.register_buffer("std", torch.as_tensor(std, dtype=torch.float32))
        counts = torch.zeros(tokenizer.codebook_size, dtype=torch.int64)
        self.register_buffer("code_counts", counts, persistent=False)

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Weighted loss of one batch."""
        output = self.tokenizer(batch["features"], batch["lengths"])
        parts = self.losses(output, batch["features"])
        for name, value in parts.items():
            self.log(f"train/{name}", value.detach())
        self.log("train/perplexity", output.perplexity)
        return parts["total"]

    def on_validation_epoch_start(self) -> None:
        """Forget the codes of the last validation."""
        self.code_counts.zero_()

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Losses and the error of the joints; averages over frames."""
        output = self.tokenizer(batch["features"], batch["lengths"])
        frames = int(self._content(output).sum())
        shown = {f"val/{name}": v for name, v in self.losses(output, batch["features"]).items()}
        shown["val/perplexity"] = output.perplexity
        shown["val/mpjpe_mm"] = self._mpjpe(output, batch["features"])
        # Under DDP Lightning adds up values and weights of all processes before it divides.
        self.log_dict(shown, batch_size=frames, on_epoch=True, sync_dist=True)
        tokens = self._content(output)[:, :: self.tokenizer.frames_per_token]
        self.code_counts += output.codes[tokens].bincount(minlength=len(self.code_counts))

    def on_validation_epoch_end(self) -> None:
        """Share of the codes that occurred in this validation, on any process."""
        used = sum_over_processes(self.code_counts) > 0
        self.log("val/codebook_usage", used.float().mean())

    def configure_optimizers(self) -> Any:
        """Optimizer and, if there is one, its schedule."""
        optimizer = self._make_optimizer(self.tokenizer.parameters())
        if self._make_scheduler is None:
            return optimizer
        schedule = {"scheduler": self._make_scheduler(optimizer), "interval": "step"}
        return {"optimizer": optimizer, "lr_scheduler": schedule}

    def _content(self, output: TokenizerOutput) -> Tensor:
        """(B, T) True where a frame was reconstructed."""
        rows, frames = output.features.shape[:2]
        mask = length_mask(output.lengths, frames)
        if mask is None:
            return torch.ones(rows, frames, dtype=torch.bool, device=output.features.device)
        return mask

    def _mpjpe(self, output: TokenizerOutput, target: Tensor) -> Tensor:
        """Root-aligned mean joint error over the batch's reconstructed frames, millimetres."""
        with torch.autocast(target.device.type, enabled=False):
            found = self._local_joints(output.features)
            wanted = self._local_joints(target[:, : output.features.shape[1]])
            errors = (found - wanted).norm(dim=-1).mean(-1)
        return MILLIMETRES * errors[self._content(output)].mean()

    def _local_joints(self, features: Tensor) -> Tensor:
        """(B, T, J, 3) metres relative to the root, from normalised features."""
        joints = features_to_joints(features.float() * self.std + self.mean, self.skeleton)
        return joints - joints[..., :1, :]
