"""The VQ-VAE of TM2T (arXiv:2207.01696, section 3.1): contacts are generated, but not read."""

from collections.abc import Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from motiongpt.codecs.base import DiscreteCodec, TokenizerOutput
from motiongpt.codecs.masking import length_mask, masked
from motiongpt.codecs.vq_vae.quantizers.standard import StandardQuantizer
from motiongpt.errors import UserError

SLOPE = 0.2  # of the leaky rectifier
UNREAD = 4  # the last features, contacts of the feet
LEVELS = {1: 0, 2: 1, 4: 2, 8: 3}


class TM2TVQVAE(DiscreteCodec):
    """Strided convolutions around a quantizer that learns by gradient.

    Args:
        n_features: F of the motion's features.
        frames_per_token: 1, 2, 4 or 8.
        codebook_size, code_dim: of the codebook.
        width: channels of all levels but the last of the encoder, which has code_dim.
        depth: residual units before the decoder's levels.
        beta: weight of the commitment inside the quantizer's loss.
        encoder_widths, decoder_widths: channels of each level instead of `width`; the decoder's
            before each level.

    Raises:
        UserError: another frames_per_token, no codes, or widths of another number of levels.
    """

    def __init__(
        self,
        n_features: int,
        frames_per_token: int = 4,
        codebook_size: int = 1024,
        code_dim: int = 1024,
        width: int = 1024,
        depth: int = 3,
        beta: float = 1.0,
        encoder_widths: Sequence[int] | None = None,
        decoder_widths: Sequence[int] | None = None,
    ) -> None:
        super().__init__()
        if frames_per_token not in LEVELS:
            valid = ", ".join(map(str, LEVELS))
            raise UserError(f"frames_per_token is {frames_per_token}; choose one of: {valid}")
        if codebook_size < 1:
            raise UserError(f"tokenizer.codebook_size is {codebook_size}; expected 1 or more codes")
        levels = LEVELS[frames_per_token]
        down = list(encoder_widths or [*[width] * (levels - 1), code_dim][:levels])
        up = list(decoder_widths or [width] * levels)
        if len(down) != levels or len(up) != levels or (down and down[-1] != code_dim):
            raise UserError(
                f"tokenizer: encoder_widths {down} and decoder_widths {up}; expected {levels} "
                f"each, the encoder's last {code_dim}"
            )
        self.n_features, self.codebook_size = n_features, codebook_size
        self.frames_per_token = frames_per_token
        self._sizes = {
            "code_dim": code_dim,
            "width": width,
            "depth": depth,
            "beta": beta,
            "encoder_widths": down,
            "decoder_widths": up,
        }
        self.encoder = Encoder(n_features - UNREAD, down, code_dim)
        self.quantizer = StandardQuantizer(codebook_size, code_dim, beta)
        self.decoder = Decoder(code_dim, up, depth, n_features)

    def forward(
        self,
        features: Tensor,
        lengths: Tensor | None = None,
        token_positions: Tensor | None = None,
    ) -> TokenizerOutput:
        """See `DiscreteCodec.forward`."""
        if token_positions is None:
            self.check_lengths(lengths, features.shape[1])
        latents = self.encoder(_read(features), lengths)
        tokens = self._tokens(lengths)
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
        """See `DiscreteCodec.encode`."""
        self.check_lengths(lengths, features.shape[1])
        latents = self.encoder(_read(features), lengths)
        codes: Tensor = self.quantizer.nearest(latents.transpose(1, 2))
        mask = length_mask(self._tokens(lengths), codes.shape[1])
        return codes if mask is None else codes.masked_fill(~mask, 0)

    def decode(self, codes: Tensor, lengths: Tensor | None = None) -> Tensor:
        """See `DiscreteCodec.decode`."""
        self.check_codes(codes)
        latents = self.quantizer.look_up(codes).transpose(1, 2)
        found: Tensor = self.decoder(latents.to(self.decoder.output.weight), lengths)
        return found.transpose(1, 2)

    def code_vectors(self) -> Tensor:
        """See `DiscreteCodec.code_vectors`."""
        return self.quantizer.codebook.detach().float()[None]

    def compiled_parts(self) -> Sequence[nn.Module]:
        """The convolutions."""
        return [self.encoder, self.decoder]

    def arguments(self) -> dict[str, Any]:
        """See `Codec.arguments`."""
        return {
            "n_features": self.n_features,
            "frames_per_token": self.frames_per_token,
            "codebook_size": self.codebook_size,
            **self._sizes,
        }

    def _tokens(self, lengths: Tensor | None) -> Tensor | None:
        return None if lengths is None else lengths // self.frames_per_token


class Unit(nn.Module):
    """x + a convolution of the rectified convolution of x, (B, D, T) to the same."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first, self.second = (nn.Conv1d(width, width, 3, padding=1) for _ in range(2))

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """`mask` (B, T), False beyond a clip's end."""
        inside = masked(F.leaky_relu(self.first(x), SLOPE), mask)
        return x + masked(self.second(inside), mask)


class Encoder(nn.Module):
    """(B, F, T) to (B, D, T / 2 ** levels); a level halves the frames."""

    def __init__(self, n_features: int, widths: Sequence[int], code_dim: int) -> None:
        super().__init__()
        before = [n_features, *widths]
        pairs = list(zip(before, widths, strict=False))
        self.levels = nn.ModuleList(nn.Conv1d(a, b, 4, 2, padding=1) for a, b in pairs)
        self.units = nn.ModuleList(Unit(width) for width in widths)
        # A token for each frame needs no level, but its width.
        self.output = nn.Identity() if widths else nn.Conv1d(n_features, code_dim, 3, padding=1)

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """What lies beyond a clip's `lengths` (B,) frames is not seen."""
        mask = length_mask(lengths, x.shape[2])
        x = masked(x, mask)
        for level, unit in zip(self.levels, self.units, strict=True):
            x = F.leaky_relu(level(x), SLOPE)
            lengths = None if lengths is None else lengths // 2
            mask = length_mask(lengths, x.shape[2])
            x = unit(masked(x, mask), mask)
        return masked(self.output(x), mask)


class Decoder(nn.Module):
    """(B, D, L) to (B, F, L x 2 ** levels); a level doubles the frames."""

    def __init__(self, code_dim: int, widths: Sequence[int], depth: int, n_features: int) -> None:
        super().__init__()
        first = widths[0] if widths else code_dim
        self.input = (
            nn.Identity() if first == code_dim else nn.Conv1d(code_dim, first, 3, padding=1)
        )
        self.units = nn.ModuleList(Unit(first) for _ in range(depth))
        after = [*widths[1:], n_features]
        pairs = list(zip(widths, after, strict=False)) if widths else []
        self.levels = nn.ModuleList(nn.Conv1d(a, b, 3, padding=1) for a, b in pairs)
        last = n_features if widths else code_dim
        self.output = nn.Conv1d(last, n_features, 3, padding=1)

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """What lies beyond a clip's `lengths` (B,) tokens is not seen."""
        mask = length_mask(lengths, x.shape[2])
        x = masked(self.input(masked(x, mask)), mask)
        for unit in self.units:
            x = unit(x, mask)
        for level in self.levels:
            x = F.interpolate(x, scale_factor=2, mode="nearest")
            lengths = None if lengths is None else 2 * lengths
            mask = length_mask(lengths, x.shape[2])
            x = masked(F.leaky_relu(level(masked(x, mask)), SLOPE), mask)
        return masked(self.output(x), mask)


def _read(features: Tensor) -> Tensor:
    """(B, F - 4, T) of features (B, T, F)."""
    return features[..., :-UNREAD].transpose(1, 2)
