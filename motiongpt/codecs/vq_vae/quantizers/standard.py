"""The plain VQ-VAE's quantizer: the codebook is a parameter that learns by gradient."""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongpt.codecs.vq_vae.quantizers.base import Quantizer


class StandardQuantizer(Quantizer):
    """Codebook loss + beta x commitment loss (VQ-VAE, arXiv:1711.00937, equation 3).

    Args:
        codebook_size: K; codes start uniform in [-1/K, 1/K].
        code_dim: D.
        beta: weight of the commitment inside the quantizer's loss; 1.0 in MotionGPT.
    """

    perplexity_epsilon = 1e-10

    def __init__(self, codebook_size: int, code_dim: int, beta: float = 1.0) -> None:
        super().__init__()
        self.beta = beta
        bound = 1.0 / codebook_size
        self.codebook = nn.Parameter(torch.empty(codebook_size, code_dim).uniform_(-bound, bound))

    def loss(self, vectors: Tensor, chosen: Tensor) -> Tensor:
        """Pull codes to vectors and vectors to codes, both (N, D)."""
        codebook_loss = F.mse_loss(chosen, vectors.detach())
        return codebook_loss + self.beta * F.mse_loss(vectors, chosen.detach())

    def arguments(self) -> dict[str, Any]:
        """See `Quantizer.arguments`."""
        return {"beta": self.beta}
