"""The VAE of MLD (Chen et al., CVPR 2023, arXiv:2212.04048), MLD-1 by default.

Shapes: B batch, T frames, F features, N latent vectors, D width.
"""

from typing import Any

import torch
from torch import Tensor, nn

from motiongpt.codecs.base import ContinuousCodec, Gaussian
from motiongpt.codecs.masking import length_mask
from motiongpt.codecs.mld_vae.skip_transformer import skip_decoder, skip_encoder
from motiongpt.errors import UserError

Hidden = Tensor | None


class MLDVAE(ContinuousCodec):
    """Transformers with long skips, from a clip to N vectors and back.

    The encoder reads 2 N learned tokens and the frames; what it makes of the tokens are the means
    and the log-variances of the latent. The decoder's frames begin as nothing but their positions
    and look at the latent. Padding is never looked at, so that a row is what the clip gives alone.

    Args:
        n_features: F of the motion's features.
        latent_tokens: N; 1 in the paper's best model.
        width: D, also of a latent vector.
        feed_forward: width within a block's two linear layers.
        layers: blocks of the encoder, and of the decoder; odd.
        heads: of attention.
        dropout: share of activations that training hides.
        activation: gelu or relu.
        positions: rows of each learned table of positions; the longest clip has 2 N frames fewer,
            for the tokens have rows too.

    Raises:
        UserError: sizes that no such transformer can have.
    """

    def __init__(
        self,
        n_features: int,
        latent_tokens: int = 1,
        width: int = 256,
        feed_forward: int = 1024,
        layers: int = 9,
        heads: int = 4,
        dropout: float = 0.1,
        activation: str = "gelu",
        positions: int = 500,
    ) -> None:
        super().__init__()
        if latent_tokens < 1 or positions <= 2 * latent_tokens:
            raise UserError(
                f"latent_tokens is {latent_tokens} with {positions} positions; expected 1 or more "
                "tokens, and more than two positions for each"
            )
        self.n_features = n_features
        self.longest = positions - 2 * latent_tokens
        self.latent_tokens, self.width = latent_tokens, width
        self._sizes = {
            "feed_forward": feed_forward,
            "layers": layers,
            "heads": heads,
            "dropout": dropout,
            "activation": activation,
            "positions": positions,
        }
        block = (layers, width, heads, feed_forward, dropout, activation)
        self.embedding = nn.Linear(n_features, width)
        self.distribution_tokens = nn.Parameter(torch.randn(2 * latent_tokens, width))
        self.encoder_positions = nn.Parameter(torch.rand(positions, width))
        self.encoder = skip_encoder(*block)
        self.decoder_positions = nn.Parameter(torch.rand(positions, width))
        self.decoder = skip_decoder(*block)
        self.output = nn.Linear(width, n_features)

    def encode(self, features: Tensor, lengths: Tensor | None = None) -> Gaussian:
        """See `ContinuousCodec.encode`; mean and std are float32 in every precision.

        Raises:
            UserError: a clip of more frames than the table has positions for.
        """
        sequence, hidden = self.encoder_sequence(features, lengths)
        encoded = self.encoder(sequence, src_key_padding_mask=hidden)
        return self.distribution(encoded)

    def encoder_sequence(self, features: Tensor, lengths: Tensor | None) -> tuple[Tensor, Hidden]:
        """What the encoder reads.

        Returns:
            (B, 2 N + T, D): tokens of the means, tokens of the log-variances, frames, each with its
            position; and (B, 2 N + T) bool, True in padding, or None for clips without.
        """
        self._check_frames(features.shape[1])
        mask = length_mask(lengths, features.shape[1])
        if mask is not None:
            # Attention multiplies what is hidden by nought; a NaN in the padding would stay one.
            features = features.masked_fill(~mask[..., None], 0.0)
        tokens = self.distribution_tokens.expand(len(features), -1, -1)
        sequence = torch.cat((tokens, self.embedding(features)), dim=1)
        sequence = sequence + self.encoder_positions[: sequence.shape[1]]
        if mask is None:
            return sequence, None
        visible = mask.new_zeros(len(mask), tokens.shape[1])
        return sequence, torch.cat((visible, ~mask), dim=1)

    def distribution(self, encoded: Tensor) -> Gaussian:
        """The latent's distribution from what the encoder made of `encoder_sequence`."""
        tokens = encoded[:, : 2 * self.latent_tokens].float()
        mean, log_variance = tokens.chunk(2, dim=1)
        return Gaussian(mean, (0.5 * log_variance).exp())

    def decode(self, latents: Tensor, lengths: Tensor) -> Tensor:
        """See `ContinuousCodec.decode`.

        Raises:
            UserError: a clip of more frames than can be encoded again.
        """
        frames = int(lengths.max())
        self._check_frames(frames)
        queries = self.decoder_positions[:frames].expand(len(latents), -1, -1)
        hidden = torch.arange(frames, device=lengths.device)[None] >= lengths[:, None]
        decoded = self.decoder(queries, latents, tgt_key_padding_mask=hidden)
        features: Tensor = self.output(decoded)
        return features.masked_fill(hidden[..., None], 0.0)

    def arguments(self) -> dict[str, Any]:
        """See `Codec.arguments`."""
        return {
            "n_features": self.n_features,
            "latent_tokens": self.latent_tokens,
            "width": self.width,
            **self._sizes,
        }

    def _check_frames(self, frames: int) -> None:
        assert self.longest is not None
        if frames > self.longest:
            raise UserError(
                f"a clip has {frames} frames; this codec takes at most {self.longest}: cut the "
                "clip, or train one with more codec.positions"
            )
