"""A codebook that changes only by resets: codes a batch doesn't use become its vectors."""

from typing import Any

import torch
from torch import Tensor

from motiongpt.codecs.vq_vae.quantizers.batch_codebook import BatchCodebook


class ResetQuantizer(BatchCodebook):
    """The ablation "reset" of T2M-GPT and MotionGPT as released.

    A code that is in use never moves: the released commitment loss stops the codebook's gradient,
    so the encoder alone comes nearer.
    """

    code_count: Tensor

    def __init__(self, codebook_size: int, code_dim: int) -> None:
        super().__init__(codebook_size, code_dim)
        self.register_buffer("code_count", torch.zeros(codebook_size))

    def start_statistics(self) -> None:
        """Every code counts as used."""
        self.code_count.fill_(1.0)

    @torch.no_grad()
    def update(self, vectors: Tensor, codes: Tensor, counts: Tensor) -> None:
        """Reset what the batch didn't use: vectors (N, D), codes (N,), counts (K,)."""
        self.code_count.copy_(counts)
        used = (counts >= 1)[:, None]
        self.codebook.copy_(torch.where(used, self.codebook, self.candidates(vectors)))

    def arguments(self) -> dict[str, Any]:
        """See `Quantizer.arguments`."""
        return {}
