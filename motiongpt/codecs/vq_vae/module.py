"""The Lightning module of the tokenizer stage."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from motiongpt.codecs.base import DiscreteCodec, TokenizerOutput
from motiongpt.codecs.flops import codec_flops
from motiongpt.codecs.masking import length_mask
from motiongpt.codecs.module import CodecModule
from motiongpt.codecs.vq_vae.losses import TokenizerLosses
from motiongpt.codecs.vq_vae.window_batch import WindowBatch
from motiongpt.distributed import sum_over_processes
from motiongpt.motion.skeleton import Skeleton
from motiongpt.training.global_means import over_global_batch
from motiongpt.training.step_cost import StepCost

VALIDATED = ("reconstruction", "velocity", "commitment", "total", "mpjpe_mm")


class TokenizerModule(CodecModule):
    """Train a tokenizer on batches that `collate_windows` or `collate_whole_windows` made.

    Logs, for train and val: the unweighted losses, their weighted sum and the perplexity; for val
    also `val/codebook_usage` (share of the codes of all codebooks that the split uses) and
    `val/mpjpe_mm` (mean distance of joints in millimetres, each frame moved so that the roots
    coincide). Train numbers are those of a step's whole batch, val numbers those of the whole
    split, on any number of processes.

    Args:
        tokenizer: to be trained.
        losses: of its output.
        skeleton: of the features.
        mean, std: (F,) of the features' normalisation.
        make_optimizer: parameters -> optimizer, learning rate included.
        make_scheduler: optimizer -> schedule, stepped after every training step.
    """

    code_counts: Tensor

    def __init__(
        self,
        tokenizer: DiscreteCodec,
        losses: TokenizerLosses,
        skeleton: Skeleton,
        mean: Tensor,
        std: Tensor,
        make_optimizer: Callable[[Iterable[nn.Parameter]], Optimizer],
        make_scheduler: Callable[[Optimizer], Any] | None = None,
    ) -> None:
        super().__init__(skeleton, mean, std, VALIDATED, make_optimizer, make_scheduler)
        self.tokenizer, self.losses = tokenizer, losses
        counts = torch.zeros(tokenizer.codebooks, tokenizer.codebook_size, dtype=torch.int64)
        self.register_buffer("code_counts", counts, persistent=False)

    @property
    def network(self) -> DiscreteCodec:
        """What is trained."""
        return self.tokenizer

    def training_step(self, batch: WindowBatch, batch_idx: int) -> Tensor:
        """Weighted loss of one batch."""
        output = self._output(batch)
        parts = self.losses(output, batch["features"])
        # Tokens all have the same number of frames: the share is right for every part.
        shown, weight = over_global_batch(parts, _frames(output))
        for name, value in shown.items():
            self.log(f"train/{name}", value)
        self.log("train/perplexity", output.perplexity)
        return weight * parts["total"]

    def on_validation_epoch_start(self) -> None:
        """Forget the last validation."""
        self.code_counts.zero_()
        self._validated.start(self.code_counts.device)

    def validation_step(self, batch: WindowBatch, batch_idx: int) -> None:
        """Losses and the error of the joints; averages over frames."""
        output = self._output(batch)
        found: dict[str, Tensor] = self.losses(output, batch["features"])
        found["mpjpe_mm"] = self._mpjpe(output, batch["features"])
        self._validated.add(found, int(_frames(output)))
        tokens = self._content(output)[:, :: self.tokenizer.frames_per_token]
        books, size = self.code_counts.shape
        first = torch.arange(books, device=tokens.device) * size
        used = (output.codes[tokens].view(-1, books) + first).flatten()
        self.code_counts += used.bincount(minlength=books * size).view(books, size)

    def on_validation_epoch_end(self) -> None:
        """Log what all processes found together."""
        for name, value in self._validated.over_processes().items():
            self.log(f"val/{name}", value)
        counts = sum_over_processes(self.code_counts)
        self.log("val/codebook_usage", (counts > 0).float().mean())
        shares = counts / counts.sum(1, keepdim=True)
        self.log("val/perplexity", torch.special.entr(shares).sum(1).exp().mean())

    def step_cost(self, batch: WindowBatch) -> StepCost:
        """What a step on `batch` amounts to; a token is one of motion."""
        clips, frames = batch["features"].shape[:2]
        rate, positions = self.tokenizer.frames_per_token, batch.get("token_positions")
        codes = clips * (frames // rate)
        tokens = codes if positions is None else len(positions)
        return StepCost(clips, tokens, codes, codec_flops(self.tokenizer, tokens * rate))

    def _output(self, batch: WindowBatch) -> TokenizerOutput:
        found: TokenizerOutput = self.tokenizer(
            batch["features"], batch["lengths"], batch.get("token_positions")
        )
        return found

    def _content(self, output: TokenizerOutput) -> Tensor:
        """(B, T) True where a frame was reconstructed."""
        rows, frames = output.features.shape[:2]
        mask = length_mask(output.lengths, frames)
        if mask is None:
            return torch.ones(rows, frames, dtype=torch.bool, device=output.features.device)
        return mask

    def _mpjpe(self, output: TokenizerOutput, target: Tensor) -> Tensor:
        """Root-aligned mean joint error over the batch's reconstructed frames, millimetres."""
        wanted = target[:, : output.features.shape[1]]
        return self.mpjpe_mm(output.features, wanted, self._content(output))


def _frames(output: TokenizerOutput) -> Tensor | int:
    """Reconstructed frames of a batch, padding left out."""
    return output.features[..., 0].numel() if output.lengths is None else output.lengths.sum()
