"""The residual VQ-VAE of MoMask (Guo et al., CVPR 2024, arXiv:2312.00063, section 3.1)."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from motiongpt.codecs.base import DiscreteCodec, TokenizerOutput
from motiongpt.codecs.masking import length_mask
from motiongpt.codecs.residual_vq.quantizer import NO_CODE, ONCE, ResidualQuantizer
from motiongpt.codecs.vq_vae.decoder import Decoder
from motiongpt.codecs.vq_vae.encoder import Encoder
from motiongpt.codecs.vq_vae.network import LAYERS_OF_FRAMES
from motiongpt.errors import UserError


class ResidualVQVAE(DiscreteCodec):
    """The convolutions of the VQ-VAE around several codebooks: a token is Q codes.

    Args:
        n_features: F of the motion's features.
        codebooks: Q; 6 in MoMask.
        frames_per_token: 1, 2, 4 or 8.
        codebook_size: codes of each codebook.
        code_dim: length of a code's vector.
        width, depth, dilation_growth, activation: of the convolutions, see `VQVAE`.
        dropout: of what a residual block adds.
        decay, temperature, codebook_dropout, gradient: see `ResidualQuantizer`, whose `dropout` is
            `codebook_dropout`.

    Raises:
        UserError: a size or an option that there is not.
    """

    least_code = NO_CODE

    def __init__(
        self,
        n_features: int,
        codebooks: int = 6,
        frames_per_token: int = 4,
        codebook_size: int = 512,
        code_dim: int = 512,
        width: int = 512,
        depth: int = 3,
        dilation_growth: int = 3,
        activation: str = "relu",
        dropout: float = 0.2,
        decay: float = 0.99,
        temperature: float = 0.5,
        codebook_dropout: float = 0.2,
        gradient: str = ONCE,
    ) -> None:
        super().__init__()
        if frames_per_token not in LAYERS_OF_FRAMES:
            valid = ", ".join(map(str, LAYERS_OF_FRAMES))
            raise UserError(f"frames_per_token is {frames_per_token}; choose one of: {valid}")
        if codebook_size < 1:
            raise UserError(f"codebook_size is {codebook_size}; expected 1 or more codes")
        self.n_features, self.codebooks = n_features, codebooks
        self.codebook_size, self.frames_per_token = codebook_size, frames_per_token
        self._sizes = {
            "code_dim": code_dim,
            "width": width,
            "depth": depth,
            "dilation_growth": dilation_growth,
            "activation": activation,
            "dropout": dropout,
        }
        sizes = (n_features, code_dim, width, LAYERS_OF_FRAMES[frames_per_token])
        blocks = (depth, dilation_growth, activation, dropout)
        self.encoder = Encoder(*sizes, *blocks)
        self.quantizer = ResidualQuantizer(
            codebooks, codebook_size, code_dim, decay, temperature, codebook_dropout, gradient
        )
        self.decoder = Decoder(*sizes, *blocks)

    def forward(
        self,
        features: Tensor,
        lengths: Tensor | None = None,
        token_positions: Tensor | None = None,
    ) -> TokenizerOutput:
        """See `DiscreteCodec.forward`; in training the codebooks learn too."""
        if token_positions is None:
            self.check_lengths(lengths, features.shape[1])
        latents = self.encoder(features.transpose(1, 2), lengths)
        tokens = None if lengths is None else lengths // self.frames_per_token
        quantised = self.quantizer(latents, length_mask(tokens, latents.shape[2]), token_positions)
        return TokenizerOutput(
            features=self.decoder(quantised.vectors.to(latents.dtype), tokens).transpose(1, 2),
            lengths=None if tokens is None else tokens * self.frames_per_token,
            commitment=quantised.loss,
            perplexity=quantised.perplexity,
            codes=quantised.codes,
            token_positions=token_positions,
        )

    def encode(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Codes (B, L, Q); see `DiscreteCodec.encode`."""
        self.check_lengths(lengths, features.shape[1])
        latents = self.encoder(features.transpose(1, 2), lengths)
        codes = self.quantizer.nearest(latents.transpose(1, 2))
        tokens = None if lengths is None else lengths // self.frames_per_token
        mask = length_mask(tokens, codes.shape[1])
        return codes if mask is None else codes.masked_fill(~mask[..., None], 0)

    def decode(self, codes: Tensor, lengths: Tensor | None = None) -> Tensor:
        """See `DiscreteCodec.decode`.

        Args:
            codes: (B, L, up to Q), of the first codebooks; -1 where a token lacks one.
        """
        self.check_codes(codes)
        latents = self.quantizer.look_up(codes).transpose(1, 2)
        latents = latents.to(self.decoder.input_convolution.weight.dtype)
        return self.decoder(latents, lengths).transpose(1, 2)

    def code_vectors(self) -> Tensor:
        """See `DiscreteCodec.code_vectors`."""
        return self.quantizer.code_vectors()

    def compiled_parts(self) -> Sequence[nn.Module]:
        """The convolutions; the codebooks learn in plain Python."""
        return [self.encoder, self.decoder]

    def arguments(self) -> dict[str, Any]:
        """See `Codec.arguments`."""
        return {
            "n_features": self.n_features,
            "codebooks": self.codebooks,
            "frames_per_token": self.frames_per_token,
            "codebook_size": self.codebook_size,
            **self._sizes,
            **self.quantizer.arguments(),
        }
