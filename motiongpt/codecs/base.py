"""What a codec is: motion to latent and back, with codes or with vectors for latents."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import torch
from torch import Tensor, nn

from motiongpt.codecs.masking import content_positions
from motiongpt.errors import UserError


@dataclass(frozen=True)
class TokenizerOutput:
    """What training needs of one batch.

    Attributes:
        features: (B, L * frames_per_token, F) reconstruction, normalised.
        lengths: (B,) frames of each row that are reconstructed, or None for all.
        commitment: scalar; what the quantizer asks of the encoder (and, for some, of itself).
        perplexity: scalar; how many codes the batch used, weighted by how often.
        codes: (B, L) or (B, L, Q) int64; 0 beyond a clip's end.
        token_positions: (N,) int64, the tokens with content in the flattened codes, where the
            caller knew them.
    """

    features: Tensor
    lengths: Tensor | None
    commitment: Tensor
    perplexity: Tensor
    codes: Tensor
    token_positions: Tensor | None = None

    def frame_positions(self) -> Tensor | None:
        """(M,) int64, the frames with content in the flattened (B, T) ones; None for all."""
        if self.lengths is None:
            return None
        frames, tokens = self.features.shape[1], self.codes.shape[1]
        if self.token_positions is None:
            return content_positions(self.lengths, frames)
        rate = frames // tokens
        within = torch.arange(rate, device=self.codes.device)
        return (self.token_positions[:, None] * rate + within).flatten()


class Codec(nn.Module, ABC):
    """A network that turns normalised motion into a latent and back.

    Shapes: B batch, T frames, F features, L tokens, Q codebooks.

    Attributes:
        n_features: F.
        shortest: frames of the shortest clip that it takes.
        longest: frames of the longest clip that it takes at once; None for any length.
    """

    n_features: int
    shortest: int = 1
    longest: int | None = None

    @abstractmethod
    def reconstruct(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Encode and decode normalised features (B, T, F); nothing is drawn.

        Args:
            lengths: (B,) frames of each row, None for all T. Row i is valid up to lengths[i], or up
                to its last whole token, and there equals what the clip gives alone.
        """

    def compiled_parts(self) -> Sequence[nn.Module]:
        """The parts that are worth compiling; the whole by default."""
        return [self]

    @abstractmethod
    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments, fit for JSON; `from_arguments` rebuilds the codec."""

    @classmethod
    def from_arguments(cls, arguments: Mapping[str, Any]) -> Self:
        """Build an untrained codec from what `arguments` returned."""
        return cls(**arguments)


class ContinuousCodec(Codec):
    """Base of the codecs with vectors for latents. Shapes: N vectors a clip of D numbers."""

    @abstractmethod
    def encode(self, features: Tensor, lengths: Tensor | None = None) -> "Gaussian":
        """Distribution of the latent (B, N, D) of normalised features (B, T, F)."""

    @abstractmethod
    def decode(self, latents: Tensor, lengths: Tensor) -> Tensor:
        """Normalised features (B, T, F) of latents (B, N, D); T is the largest of `lengths` (B,).

        Beyond a row's length all is zero.
        """

    def reconstruct(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Decode the mean of the latent."""
        if lengths is None:
            lengths = torch.full((len(features),), features.shape[1], device=features.device)
        return self.decode(self.encode(features, lengths).mean, lengths)


class Gaussian(NamedTuple):
    """Mean and standard deviation of a latent, (B, N, D) each."""

    mean: Tensor
    std: Tensor

    def sample(self, noise: Tensor | None = None) -> Tensor:
        """mean + std x noise, (B, N, D); standard normal noise is drawn where none is given."""
        return self.mean + self.std * (torch.randn_like(self.std) if noise is None else noise)


class DiscreteCodec(Codec):
    """Base of the codecs with codes for latents: a motion tokenizer.

    Attributes:
        codebook_size: codes are least_code … codebook_size - 1.
        codebooks: Q; a token is so many codes, or the one code that it is where Q is 1.
        least_code: 0, or -1 where a token may lack a code of one of its codebooks.
        frames_per_token: a clip of T frames has T // frames_per_token tokens.
    """

    codebook_size: int
    codebooks: int = 1
    least_code: int = 0
    frames_per_token: int

    @abstractmethod
    def forward(
        self,
        features: Tensor,
        lengths: Tensor | None = None,
        token_positions: Tensor | None = None,
    ) -> TokenizerOutput:
        """Reconstruct normalised features (B, T, F); `lengths` (B,) in frames, None for all T.

        Padding enters neither the losses nor any statistics of the codebook.

        Args:
            token_positions: (N,) int64, the tokens with content in the flattened (B, L) ones. Who
                gives them has checked the lengths; without them a GPU is asked for both.
        """

    @abstractmethod
    def encode(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Codes (B, L) or (B, L, Q) int64 of normalised features (B, T, F).

        Row i is valid up to lengths[i] // frames_per_token, and there equals what the clip gives
        alone.

        Raises:
            UserError: a clip is shorter than one token or longer than the batch.
        """

    @abstractmethod
    def decode(self, codes: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Normalised features (B, L * frames_per_token, F) of codes; `lengths` in tokens.

        Raises:
            UserError: a code is outside the codebook.
        """

    @abstractmethod
    def code_vectors(self) -> Tensor:
        """Vectors (Q, K, D) float32 that the codes of each codebook stand for, without gradient."""

    def reconstruct(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Decode the codes: whole tokens only."""
        tokens = None if lengths is None else lengths // self.frames_per_token
        return self.decode(self.encode(features, lengths), tokens)

    def check_lengths(self, lengths: Tensor | None, frames: int) -> None:
        """Refuse clips that have no token, or more frames than the batch.

        Raises:
            UserError: names the first such clip by its index in the batch.
        """
        for index, length in enumerate([frames] if lengths is None else lengths.tolist()):
            if not self.frames_per_token <= length <= frames:
                raise UserError(
                    f"clip {index} of the batch has {length} frames; expected at least "
                    f"{self.frames_per_token} (one token) and at most {frames} (the batch)"
                )

    def check_codes(self, codes: Tensor) -> None:
        """Refuse codes that are not in the codebook.

        Raises:
            UserError: names the first such code and its clip's index in the batch.
        """
        outside = ((codes < self.least_code) | (codes >= self.codebook_size)).nonzero()
        if len(outside):
            index, position = outside[0].tolist()[:2]
            code = int(codes[tuple(outside[0].tolist())])
            raise UserError(
                f"clip {index} of the batch has code {code} at token {position}; the codebook has "
                f"{self.codebook_size} codes: {self.least_code} to {self.codebook_size - 1}"
            )
