"""MLD's VAE whose means and variances are made by a linear layer, as its code has for an option.

Shapes: as in `network`.
"""

from typing import Any

import torch
from torch import Tensor, nn

from motiongpt.codecs.base import Gaussian
from motiongpt.codecs.mld_vae.network import MLDVAE


class LinearMLDVAE(MLDVAE):
    """N learned tokens are read, and each is made a mean and a log-variance (`mlp_dist`).

    Arguments and errors as of `MLDVAE`.
    """

    def __init__(self, n_features: int, **sizes: Any) -> None:
        super().__init__(n_features, **sizes)
        self.distribution_tokens = nn.Parameter(torch.randn(self.latent_tokens, self.width))
        self.distribution_layer = nn.Linear(self.width, 2 * self.width)

    def distribution(self, encoded: Tensor) -> Gaussian:
        """See `MLDVAE.distribution`."""
        tokens = self.distribution_layer(encoded[:, : self.latent_tokens]).float()
        mean, log_variance = tokens.chunk(2, dim=-1)
        return Gaussian(mean, (0.5 * log_variance).exp())
