"""The network of MLD that tells the noise in a latent (Chen et al., CVPR 2023, arXiv:2212.04048).

Shapes: B batch, N latent vectors, D width, X numbers of a text's features.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from motiongpt.codecs.mld_vae.skip_transformer import skip_encoder
from motiongpt.errors import UserError

SLOWEST = 10_000.0
CONDITIONS = 2
"""Tokens beside the latent's: the step of the diffusion and the text."""


class LatentDenoiser(nn.Module):
    """A transformer with long skips over the latent, the step of the diffusion and the text.

    Args:
        latent_tokens: N of the codec.
        width: D, of the codec's latent vectors and of the transformer.
        text_width: X of the text encoder; where it is D, a text's features are a token as they are.
        feed_forward, layers, heads, dropout, activation: of the transformer, as in `skip_encoder`.
        positions: rows of the learned table of positions, of which N + 2 are used; 500 as released.

    Raises:
        UserError: sizes that no such transformer can have.
    """

    def __init__(
        self,
        latent_tokens: int,
        width: int,
        text_width: int,
        feed_forward: int = 1024,
        layers: int = 9,
        heads: int = 4,
        dropout: float = 0.1,
        activation: str = "gelu",
        positions: int = 500,
    ) -> None:
        super().__init__()
        if text_width % 2:
            raise UserError(
                f"the text encoder gives {text_width} numbers; MLD's denoiser needs an even number:"
                " half of them become sines, half cosines"
            )
        if positions < latent_tokens + CONDITIONS:
            raise UserError(
                f"denoiser.positions is {positions}; {latent_tokens} latent vectors need "
                f"{latent_tokens + CONDITIONS}"
            )
        self.latent_tokens, self.width, self.text_width = latent_tokens, width, text_width
        self._sizes = {
            "feed_forward": feed_forward,
            "layers": layers,
            "heads": heads,
            "dropout": dropout,
            "activation": activation,
            "positions": positions,
        }
        self.step_embedding = nn.Sequential(
            nn.Linear(text_width, width), nn.SiLU(), nn.Linear(width, width)
        )
        self.text_embedding: nn.Module = nn.Identity()
        if text_width != width:
            self.text_embedding = nn.Sequential(nn.ReLU(), nn.Linear(text_width, width))
        self.positions = nn.Parameter(torch.rand(positions, width))
        self.encoder = skip_encoder(layers, width, heads, feed_forward, dropout, activation)

    def forward(self, latents: Tensor, steps: Tensor, text: Tensor) -> Tensor:
        """The noise (B, N, D) in `latents` (B, N, D).

        Args:
            steps: (B,) int64 of the diffusion.
            text: (B, X) features.
        """
        encoded = self.encoder(self.sequence(latents, steps, text))
        predicted: Tensor = encoded[:, : self.latent_tokens]
        return predicted

    def sequence(self, latents: Tensor, steps: Tensor, text: Tensor) -> Tensor:
        """(B, N + 2, D) what the transformer reads: latent, step, text, each with its position."""
        step = self.step_embedding(step_features(steps, self.text_width))
        tokens = torch.stack((step, self.text_embedding(text)), dim=1)
        sequence = torch.cat((latents, tokens), dim=1)
        return sequence + self.positions[: sequence.shape[1]]

    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments, fit for JSON."""
        return {
            "latent_tokens": self.latent_tokens,
            "width": self.width,
            "text_width": self.text_width,
            **self._sizes,
        }


def step_features(steps: Tensor, width: int) -> Tensor:
    """(B, width) float32 of steps (B,): cosines at width / 2 frequencies, then sines at the same.

    Frequencies fall from 1 towards 1 / 10,000, as positions have them (arXiv:1706.03762, 3.5).
    """
    half = width // 2
    order = torch.arange(half, device=steps.device, dtype=torch.float32)
    exponents = -math.log(SLOWEST) * order / half
    # Rounded once: vector units differ in the last bit of exp, which is 6e-5 of step 999's angle.
    angles = steps[:, None].float() * exponents.double().exp().float()
    return torch.cat((angles.cos(), angles.sin()), dim=1)
