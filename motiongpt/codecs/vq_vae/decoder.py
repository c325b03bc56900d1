"""The VQ-VAE's decoder: latent vectors to features, 2^layers frames for every vector."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongpt.codecs.masking import length_mask, masked
from motiongpt.codecs.vq_vae.residual_blocks import ResidualStack


class UpsamplingStage(nn.Module):
    """Refine, double the length by repeating each position, then convolve."""

    def __init__(
        self, width: int, depth: int, dilation_growth: int, activation: str, dropout: float
    ) -> None:
        super().__init__()
        self.residual = ResidualStack(width, depth, dilation_growth, activation, dropout)
        self.convolution = nn.Conv1d(width, width, 3, padding=1)

    def forward(self, hidden: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """(B, D, L), (B,) to (B, D, 2 L), (B,) the doubled lengths."""
        mask = length_mask(lengths, hidden.shape[2])
        hidden = masked(self.residual(hidden, mask), mask)
        lengths = None if lengths is None else lengths * 2
        return convolve_doubled(hidden, self.convolution), lengths


def convolve_doubled(hidden: Tensor, convolution: nn.Conv1d) -> Tensor:
    """`convolution`, of kernel 3 and padding 1, after every position was repeated once.

    Two of its three weights meet the same position: added first, they are two thirds of the
    multiplications. Values differ by rounding. (B, D, L) to (B, D', 2 L).
    """
    length = hidden.shape[2]
    before, centre, after = convolution.weight.unbind(2)
    even = torch.stack((before, centre + after), dim=2)
    odd = torch.stack((before + centre, after), dim=2)
    firsts = F.conv1d(hidden, even, convolution.bias, padding=1)[:, :, :length]
    seconds = F.conv1d(hidden, odd, convolution.bias, padding=1)[:, :, 1:]
    return torch.stack((firsts, seconds), dim=3).flatten(2)


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
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.input_convolution = nn.Conv1d(code_dim, width, 3, padding=1)
        self.stages = nn.ModuleList(
            UpsamplingStage(width, depth, dilation_growth, activation, dropout)
            for _ in range(layers)
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
