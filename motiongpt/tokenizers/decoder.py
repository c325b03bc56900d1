"""The VQ-VAE's decoder: latent vectors to features, 2^layers frames for every vector."""

import torch.nn.functional as F
from torch import Tensor, nn

from motiongpt.tokenizers.masking import length_mask, masked
from motiongpt.tokenizers.residual_blocks import ResidualStack


class UpsamplingStage(nn.Module):
    """Refine, double the length by repeating each position, then convolve."""

    def __init__(self, width: int, depth: int, dilation_growth: int, activation: str) -> None:
        super().__init__()
        self.residual = ResidualStack(width, depth, dilation_growth, activation)
        self.convolution = nn.Conv1d(width, width, 3, padding=1)

    def forward(self, hidden: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """(B, D, L), (B,) to (B, D, 2 L), (B,) the doubled lengths."""
        hidden = self.residual(hidden, length_mask(lengths, hidden.shape[2]))
        hidden = F.interpolate(hidden, scale_factor=2, mode="nearest")
        lengths = None if lengths is None else lengths * 2
        return self.convolution(masked(hidden, length_mask(lengths, hidden.shape[2]))), lengths


class Decoder(nn.Module):
    """Convolution, `layers` upsampling stages, two convolutions; arguments as in `Encoder`."""

    def __init__(
        self,
        n_features: int,
        code_dim: int,
        width: int,
        layers: int,
        depth: int,
        dilation_growth: int,
        activation: str,
    ) -> None:
        super().__init__()
        self.input_convolution = nn.Conv1d(code_dim, width, 3, padding=1)
        self.stages = nn.ModuleList(
            UpsamplingStage(width, depth, dilation_growth, activation) for _ in range(layers)
        )
        self.hidden_convolution = nn.Conv1d(width, width, 3, padding=1)
        self.output_convolution = nn.Conv1d(width, n_features, 3, padding=1)

    def forward(self, latents: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(B, code_dim, L) to (B, F, L * 2^layers).

        With `lengths` (B,) in tokens, each row's first `lengths * 2^layers` frames are what the
        clip gives alone; the rest is zero.
        """
        hidden = self.input_convolution(masked(latents, length_mask(lengths, latents.shape[2])))
        hidden = F.relu(hidden)
        for stage in self.stages:
            hidden, lengths = stage(hidden, lengths)
        mask = length_mask(lengths, hidden.shape[2])
        hidden = F.relu(self.hidden_convolution(masked(hidden, mask)))
        return masked(self.output_convolution(masked(hidden, mask)), mask)
