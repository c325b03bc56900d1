"""What a quantizer is: nearest code, straight-through gradient, a loss and a codebook update."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from motiongpt.distributed import sum_over_processes
from motiongpt.float32_state import Float32State


@dataclass(frozen=True)
class Quantised:
    """A quantised batch.

    Attributes:
        vectors: (B, D, L) float32, each latent's code; the gradient passes straight through.
        codes: (B, L) int64; 0 where masked.
        loss: scalar.
        perplexity: scalar; exp of the entropy of the codes used; in training those of
            all processes.
    """

    vectors: Tensor
    codes: Tensor
    loss: Tensor
    perplexity: Tensor


class Quantizer(Float32State, ABC):
    """Base of all quantizers with one codebook (K, D), kept by subclasses as `codebook`.

    Distances, codebook and statistics are float32 whatever the trainer's precision is: in bfloat16
    close codes would swap, and an average that moves by 1 % a step would not move.
    """

    codebook: Tensor
    # Keeps the logarithm finite for unused codes; the released code's value.
    perplexity_epsilon = 1e-7

    def forward(
        self, latents: Tensor, mask: Tensor | None = None, positions: Tensor | None = None
    ) -> Quantised:
        """Quantise latents (B, D, L); in training mode also let the codebook learn.

        Args:
            mask: (B, L) bool, False where padding: it enters neither loss nor codebook.
            positions: (N,) int64, where the flattened mask is True; without them a GPU is asked.
        """
        if mask is not None and positions is None:
            positions = mask.flatten().nonzero()[:, 0]
        with torch.autocast(latents.device.type, enabled=False):
            rows = latents.float().transpose(1, 2)
            vectors = _at(rows, positions)
            if self.training:
                self.prepare(vectors.detach())
            codes = self.nearest(rows)
            quantised = self.look_up(codes)
            used, chosen = _at(codes, positions), _at(quantised, positions)
            counts = torch.zeros(len(self.codebook), device=used.device)
            counts.index_add_(0, used, counts.new_ones(len(used)))  # bincount would ask the GPU
            loss = self.loss(vectors, chosen)
            if self.training:
                # Only here: in validation the processes may have different numbers of batches.
                counts = sum_over_processes(counts)
                self.update(vectors.detach(), used, counts)
            return Quantised(
                vectors=(rows + (quantised - rows).detach()).transpose(1, 2),
                codes=codes if mask is None else codes.masked_fill(~mask, 0),
                loss=loss,
                perplexity=self.perplexity(counts),
            )

    @torch.no_grad()
    def nearest(self, rows: Tensor) -> Tensor:
        """Index (...) int64 of the code nearest to each vector (..., D)."""
        return self.distances(rows).argmin(-1).view(rows.shape[:-1])

    @torch.no_grad()
    def distances(self, rows: Tensor) -> Tensor:
        """Squares of the distances (N, K) of all vectors (..., D) from the codes."""
        with torch.autocast(rows.device.type, enabled=False):
            vectors, codebook = rows.float().flatten(0, -2), self.codebook.float().t()
            return (
                (vectors**2).sum(-1, keepdim=True)
                - 2 * vectors @ codebook
                + (codebook**2).sum(0, keepdim=True)
            )

    def look_up(self, codes: Tensor) -> Tensor:
        """Vectors (..., D) of codes (...)."""
        return F.embedding(codes, self.codebook)

    def perplexity(self, counts: Tensor) -> Tensor:
        """exp(entropy) of how often each code was used, counts (K,)."""
        share = counts / counts.sum()
        return torch.exp(-(share * torch.log(share + self.perplexity_epsilon)).sum())

    def prepare(self, vectors: Tensor) -> None:
        """Before the nearest codes of a training batch, vectors (N, D), are sought."""

    def update(self, vectors: Tensor, codes: Tensor, counts: Tensor) -> None:
        """After a training batch: vectors (N, D), their codes (N,), all processes' counts (K,)."""

    def loss(self, vectors: Tensor, chosen: Tensor) -> Tensor:
        """What pulls the encoder's vectors (N, D) towards the chosen codes (N, D)."""
        return F.mse_loss(vectors, chosen.detach())

    @abstractmethod
    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments besides codebook_size and code_dim, fit for JSON."""


def _at(values: Tensor, positions: Tensor | None) -> Tensor:
    """Rows (N, ...) of `values` (B, L, ...) at flat indices, or all of them (B * L, ...)."""
    rows = values.flatten(0, 1)
    return rows if positions is None else rows.index_select(0, positions)
