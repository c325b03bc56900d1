"""The VQ-VAE's encoder: features to latent vectors, one for every 2^layers frames."""

import torch.nn.functional as F
from torch import Tensor, nn

from motiongpt.codecs.masking import length_mask, masked
from motiongpt.codecs.vq_vae.residual_blocks import ResidualStack


class DownsamplingStage(nn.Module):
    """Halve the length (rounding down) with a strided convolution, then refine."""

    def __init__(
        self, width: int, depth: int, dilation_growth: int, activation: str, dropout: float
    ) -> None:
        super().__init__()
        self.downsampling = nn.Conv1d(width, width, 4, stride=2, padding=1)
        self.residual = ResidualStack(width, depth, dilation_growth, activation, dropout)

    def forward(self, hidden: Tensor, lengths: Tensor | None) -> tuple[Tensor, Tensor | None]:
        """(B, D, T), (B,) to (B, D, T // 2), (B,) the halved lengths."""
        hidden = self.downsampling(masked(hidden, length_mask(lengths, hidden.shape[2])))
        lengths = None if lengths is None else lengths // 2
        return self.residual(hidden, length_mask(lengths, hidden.shape[2])), lengths


class Encoder(nn.Module):
    """Convolution, `layers` downsampling stages, convolution.

    Args:
        n_features: F, channels of the input.
        code_dim: channels of the output.
        width: channels D in between.
        layers: stages; each halves the length.
        depth, dilation_growth, activation, dropout: of the residual stacks.
    """

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
        self.input_convolution = nn.Conv1d(n_features, width, 3, padding=1)
        self.stages = nn.ModuleList(
            DownsamplingStage(width, depth, dilation_growth, activation, dropout)
            for _ in range(layers)
        )
        self.output_convolution = nn.Conv1d(width, code_dim, 3, padding=1)

    def forward(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(B, F, T) to (B, code_dim, T // 2^layers).

        With `lengths` (B,) in frames, each row's first `lengths // 2^layers` vectors are what the
        clip gives alone; the rest is undefined.
        """
        hidden = self.input_convolution(masked(features, length_mask(lengths, features.shape[2])))
        # ReLU whatever `activation` says: the option is about the residual blocks, as released.
        hidden = F.relu(hidden)
        for stage in self.stages:
            hidden, lengths = stage(hidden, lengths)
        return self.output_convolution(masked(hidden, length_mask(lengths, hidden.shape[2])))
