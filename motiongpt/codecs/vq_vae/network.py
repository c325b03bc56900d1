"""The VQ-VAE of MotionGPT (arXiv:2306.14795) and T2M-GPT (arXiv:2301.06052)."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, Self

from torch import Tensor, nn

import motiongpt.codecs.vq_vae.quantizers as quantizers
from motiongpt.codecs.base import DiscreteCodec, TokenizerOutput
from motiongpt.codecs.masking import length_mask
from motiongpt.codecs.vq_vae.decoder import Decoder
from motiongpt.codecs.vq_vae.encoder import Encoder
from motiongpt.codecs.vq_vae.quantizers.base import Quantizer
from motiongpt.errors import UserError
from motiongpt.registry import class_by_name

LAYERS_OF_FRAMES = {1: 0, 2: 1, 4: 2, 8: 3}


class QuantizerFactory(Protocol):
    """Builds a quantizer once the codebook's shape is known."""

    def __call__(self, *, codebook_size: int, code_dim: int) -> Quantizer:
        """A quantizer with codebook_size codes of code_dim numbers."""
        ...


class VQVAE(DiscreteCodec):
    """Residual 1-D convolutions around a quantizer.

    Args:
        n_features: F of the motion's features.
        quantizer: builds the quantizer from codebook_size and code_dim.
        frames_per_token: 1, 2, 4 or 8.
        codebook_size: number of codes.
        code_dim: length of a code's vector.
        width: channels of the convolutions.
        depth: residual blocks a stage.
        dilation_growth: factor between the dilations of neighbouring blocks.
        activation: of the residual blocks: relu, silu or gelu.

    Raises:
        UserError: another frames_per_token or activation, or a codebook without codes.
    """

    def __init__(
        self,
        n_features: int,
        quantizer: QuantizerFactory,
        frames_per_token: int = 4,
        codebook_size: int = 512,
        code_dim: int = 512,
        width: int = 512,
        depth: int = 3,
        dilation_growth: int = 3,
        activation: str = "relu",
    ) -> None:
        super().__init__()
        if frames_per_token not in LAYERS_OF_FRAMES:
            valid = ", ".join(map(str, LAYERS_OF_FRAMES))
            raise UserError(f"frames_per_token is {frames_per_token}; choose one of: {valid}")
        if codebook_size < 1:
            raise UserError(f"tokenizer.codebook_size is {codebook_size}; expected 1 or more codes")
        self.n_features = n_features
        self.codebook_size = codebook_size
        self.frames_per_token = frames_per_token
        self._sizes = {
            "code_dim": code_dim,
            "width": width,
            "depth": depth,
            "dilation_growth": dilation_growth,
            "activation": activation,
        }
        shape = (n_features, code_dim, width, LAYERS_OF_FRAMES[frames_per_token])
        self.encoder = Encoder(*shape, depth, dilation_growth, activation)
        self.quantizer = quantizer(codebook_size=codebook_size, code_dim=code_dim)
        self.decoder = Decoder(*shape, depth, dilation_growth, activation)

    def forward(
        self,
        features: Tensor,
        lengths: Tensor | None = None,
        token_positions: Tensor | None = None,
    ) -> TokenizerOutput:
        """Reconstruct normalised features (B, T, F); `lengths` (B,) in frames, None for all T.

        In training mode the quantizer also updates its codebook.

        Raises:
            UserError: a clip is shorter than one token or longer than the batch (not looked at
                where `token_positions` are given).
        """
        if token_positions is None:
            self.check_lengths(lengths, features.shape[1])
        latents = self.encoder(features.transpose(1, 2), lengths)
        tokens = self.token_lengths(lengths)
        mask = length_mask(tokens, latents.shape[2])
        quantised = self.quantizer(latents, mask, token_positions)
        return TokenizerOutput(
            # The codes are float32 in every precision; the decoder's weights may be less.
            features=self.decoder(quantised.vectors.to(latents.dtype), tokens).transpose(1, 2),
            lengths=None if tokens is None else tokens * self.frames_per_token,
            commitment=quantised.loss,
            perplexity=quantised.perplexity,
            codes=quantised.codes,
            token_positions=token_positions,
        )

    def encode(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """See `DiscreteCodec.encode`."""
        self.check_lengths(lengths, features.shape[1])
        latents = self.encoder(features.transpose(1, 2), lengths)
        codes = self.quantizer.nearest(latents.transpose(1, 2))
        mask = length_mask(self.token_lengths(lengths), codes.shape[1])
        return codes if mask is None else codes.masked_fill(~mask, 0)

    def decode(self, codes: Tensor, lengths: Tensor | None = None) -> Tensor:
        """See `DiscreteCodec.decode`."""
        self.check_codes(codes)
        latents = self.quantizer.look_up(codes).transpose(1, 2)
        latents = latents.to(self.decoder.input_convolution.weight.dtype)
        return self.decoder(latents, lengths).transpose(1, 2)

    def code_vectors(self) -> Tensor:
        """See `DiscreteCodec.code_vectors`."""
        return self.quantizer.codebook.detach().float()[None]

    def token_lengths(self, lengths: Tensor | None) -> Tensor | None:
        """(B,) tokens of clips with `lengths` (B,) frames."""
        return None if lengths is None else lengths // self.frames_per_token

    def compiled_parts(self) -> Sequence[nn.Module]:
        """The convolutions; the quantizer's codebook learns in plain Python."""
        return [self.encoder, self.decoder]

    def arguments(self) -> dict[str, Any]:
        """See `DiscreteCodec.arguments`."""
        return {
            "n_features": self.n_features,
            "frames_per_token": self.frames_per_token,
            "codebook_size": self.codebook_size,
            "quantizer": {
                "class": type(self.quantizer).__name__,
                "arguments": self.quantizer.arguments(),
            },
            **self._sizes,
        }

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        """Build an untrained tokenizer from what `arguments` returned.

        Raises:
            UserError: the quantizer's class is unknown.
        """
        described = arguments["quantizer"]
        kind: Any = class_by_name(quantizers, Quantizer, described["class"])

        def build(*, codebook_size: int, code_dim: int) -> Quantizer:
            return kind(codebook_size=codebook_size, code_dim=code_dim, **described["arguments"])

        return cls(**{**arguments, "quantizer": build})
