"""Codes are exponential moving averages of the vectors that chose them."""

from typing import Any

import torch
from torch import Tensor

from motiongpt.codecs.vq_vae.quantizers.batch_codebook import BatchCodebook
from motiongpt.distributed import sum_over_processes

# Below this count (after some 4,600 unused steps) sum / count loses its digits, and would end as
# 0 / 0; the code then stays where it is.
FORGOTTEN = 1e-20


class EMAQuantizer(BatchCodebook):
    """Moving-average codebook (VQ-VAE, arXiv:1711.00937, appendix A.1); unused codes stay.

    Args:
        codebook_size: K.
        code_dim: D.
        decay: share of the old average kept at each step; 0.99 in MotionGPT.
    """

    code_sum: Tensor
    code_count: Tensor

    def __init__(self, codebook_size: int, code_dim: int, decay: float = 0.99) -> None:
        super().__init__(codebook_size, code_dim)
        self.decay = decay
        self.register_buffer("code_sum", torch.zeros(codebook_size, code_dim))
        self.register_buffer("code_count", torch.zeros(codebook_size))

    def start_statistics(self) -> None:
        """As if each code had been chosen once a step."""
        self.code_sum.copy_(self.codebook)
        self.code_count.fill_(1.0)

    @torch.no_grad()
    def update(self, vectors: Tensor, codes: Tensor, counts: Tensor) -> None:
        """Move the averages by one batch: vectors (N, D), codes (N,), counts (K,)."""
        # As one_hot, which looks at the codes' range; sums by a product are the same on each run.
        chosen = codes[:, None] == torch.arange(len(self.codebook), device=codes.device)
        sums = sum_over_processes(chosen.to(vectors.dtype).t() @ vectors)
        # In this order of operations, as released: after the first step a code that was chosen
        # once has a count of exactly 1.0, and a hair less would make `ema_reset` reset it.
        self.code_sum.copy_(self.decay * self.code_sum + (1.0 - self.decay) * sums)
        self.code_count.copy_(self.decay * self.code_count + (1.0 - self.decay) * counts)
        mean = self.code_sum / self.code_count[:, None]
        self.codebook.copy_(self.renewed(mean, vectors))

    def renewed(self, mean: Tensor, vectors: Tensor) -> Tensor:
        """The codebook (K, D) after a step, from the averages (K, D) and the batch (N, D)."""
        alive = (self.code_count > FORGOTTEN)[:, None]
        return torch.where(alive, mean, self.codebook)

    def arguments(self) -> dict[str, Any]:
        """See `Quantizer.arguments`."""
        return {"decay": self.decay}
