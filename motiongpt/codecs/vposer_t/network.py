"""VPoser-t: VPoser (Pavlakos et al., SMPL-X, arXiv:1904.05866) stretched from a pose to a clip.

The layers are those of MLD's class `VPosert` (Chen et al., arXiv:2212.04048), which is VPoser v2
with the numbers of all frames in the place of a pose's. MotionGPT (arXiv:2306.14795) reports it
among the autoencoders without saying more, so that its training is MLD's.

Shape letters: B batch, T frames, F features, P frames of the network's input, W width, D latent.
"""

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from motiongpt.codecs.base import ContinuousCodec, Gaussian
from motiongpt.codecs.masking import length_mask
from motiongpt.codecs.vposer_t.batch_norm import GlobalBatchNorm
from motiongpt.errors import UserError

SLOPE = 0.01  # of the leaky ReLUs


class VPoserT(ContinuousCodec):
    """A clip's numbers, padded with zeros (the mean pose) to P frames, through linear layers.

    Args:
        n_features: F.
        frames: P, the longest clip; 196 is HumanML3D's.
        width: W.
        latent: D.
        dropout: after the encoder's second normalisation and the decoder's first layer.
        hide_padding: whether what lies beyond a clip's end is zero in the network's input and
            output. As released, lengths are ignored and a clip's reconstruction goes on after it.

    Raises:
        UserError: no frames, or a size below 1.
    """

    def __init__(
        self,
        n_features: int,
        frames: int = 196,
        width: int = 512,
        latent: int = 256,
        dropout: float = 0.1,
        hide_padding: bool = True,
    ) -> None:
        super().__init__()
        if min(frames, width, latent) < 1:
            raise UserError(
                f"VPoser-t: frames={frames}, width={width}, latent={latent}; expected 1 or more"
            )
        self.n_features, self.longest = n_features, frames
        self.hide_padding = hide_padding
        self._sizes = {"frames": frames, "width": width, "latent": latent, "dropout": dropout}
        self.encoder = _Encoder(frames * n_features, width, latent, dropout)
        self.decoder = _Decoder(frames * n_features, width, latent, dropout)
        self._frames = frames

    def encode(self, features: Tensor, lengths: Tensor | None = None) -> Gaussian:
        """See `ContinuousCodec.encode`; the latent is (B, 1, D).

        Raises:
            UserError: more than P frames, or one clip alone in training.
        """
        frames = features.shape[1]
        if frames > self._frames:
            raise UserError(
                f"VPoser-t takes clips of at most {self._frames} frames, not {frames}; cut them or "
                "raise codec.frames"
            )
        if self.hide_padding:
            features = _hidden(features, lengths)
        flat = F.pad(features, (0, 0, 0, self._frames - frames)).flatten(1)
        mean, std = self.encoder(flat)
        return Gaussian(mean[:, None], std[:, None])

    def decode(self, latents: Tensor, lengths: Tensor) -> Tensor:
        """See `ContinuousCodec.decode`."""
        flat = self.decoder(latents[:, 0])
        features = flat.unflatten(1, (self._frames, self.n_features))[:, : int(lengths.max())]
        return _hidden(features, lengths) if self.hide_padding else features

    def compiled_parts(self) -> Sequence[nn.Module]:
        """See `Codec.compiled_parts`."""
        return [self.encoder, self.decoder]

    def arguments(self) -> dict[str, Any]:
        """See `Codec.arguments`."""
        return {"n_features": self.n_features, **self._sizes, "hide_padding": self.hide_padding}


class _Encoder(nn.Module):
    """(B, P x F) to mean and standard deviation (B, D)."""

    def __init__(self, n_inputs: int, width: int, latent: int, dropout: float) -> None:
        super().__init__()
        self.input_norm = GlobalBatchNorm(n_inputs)
        self.input = nn.Linear(n_inputs, width)
        self.hidden_norm = GlobalBatchNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(width, width)
        self.output = nn.Linear(width, width)
        self.mean = nn.Linear(width, latent)
        self.spread = nn.Linear(width, latent)

    def forward(self, flat: Tensor) -> tuple[Tensor, Tensor]:
        hidden = F.leaky_relu(self.input(self.input_norm(flat)), SLOPE)
        hidden = self.hidden(self.dropout(self.hidden_norm(hidden)))
        hidden = self.output(hidden)  # two linear layers in a row, as in VPoser
        return self.mean(hidden), F.softplus(self.spread(hidden))


class _Decoder(nn.Module):
    """(B, D) to (B, P x F)."""

    def __init__(self, n_outputs: int, width: int, latent: int, dropout: float) -> None:
        super().__init__()
        self.input = nn.Linear(latent, width)
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(width, width)
        self.output = nn.Linear(width, n_outputs)

    def forward(self, latent: Tensor) -> Tensor:
        hidden = self.dropout(F.leaky_relu(self.input(latent), SLOPE))
        flat: Tensor = self.output(F.leaky_relu(self.hidden(hidden), SLOPE))
        return flat


def _hidden(features: Tensor, lengths: Tensor | None) -> Tensor:
    """Features (B, T, F) with zeros beyond each clip's end."""
    mask = length_mask(lengths, features.shape[1])
    return features if mask is None else features.masked_fill(~mask[..., None], 0.0)
