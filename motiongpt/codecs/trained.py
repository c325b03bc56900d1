"""A trained tokenizer with its normalisation: raw motion in, codes out, and back."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from motiongpt.codecs.base import DiscreteCodec
from motiongpt.codecs.files import CodecFiles
from motiongpt.codecs.trained_codec import TrainedCodec
from motiongpt.errors import UserError

DESCRIPTION = "tokenizer.json"
WEIGHTS = "tokenizer.safetensors"


class TrainedTokenizer(TrainedCodec):
    """A discrete codec that takes and gives features in their own units; see `TrainedCodec`."""

    files = CodecFiles("tokenizer", DESCRIPTION, WEIGHTS, "tokenizer.", DiscreteCodec)

    def __init__(
        self,
        tokenizer: DiscreteCodec,
        mean: np.ndarray,
        std: np.ndarray,
        batch_size: int | None = None,
    ) -> None:
        super().__init__(tokenizer, mean, std, batch_size)
        self.tokenizer = tokenizer

    @property
    def codebook_size(self) -> int:
        """See `DiscreteCodec.codebook_size`."""
        return self.tokenizer.codebook_size

    @property
    def codebooks(self) -> int:
        """Q; a clip's codes are (L,) where it is 1, (L, Q) otherwise."""
        return self.tokenizer.codebooks

    @property
    def frames_per_token(self) -> int:
        """A clip of T frames has T // frames_per_token tokens."""
        return self.tokenizer.frames_per_token

    def whole_frames(self, frames: int) -> int:
        """See `TrainedCodec.whole_frames`: whole tokens."""
        tokens = -(-max(frames, self.tokenizer.shortest) // self.frames_per_token)
        return tokens * self.frames_per_token

    @torch.no_grad()
    def encode(self, features: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Codes int64 of each clip of raw features (T, F): (T // frames_per_token,) or (…, Q).

        Raises:
            UserError: names the index of a clip that is too short, not finite or of another width.
        """
        clips = [self._checked(index, clip, 0) for index, clip in enumerate(features)]
        for index, clip in enumerate(clips):
            if len(clip) < self.frames_per_token:
                raise UserError(
                    f"clip {index}: {len(clip)} frames are less than one token; expected at least "
                    f"{self.frames_per_token}"
                )
        normalised = [self.normalised(clip) for clip in clips]
        return self._in_batches(normalised, self.tokenizer.encode, 1, self.frames_per_token)

    @torch.no_grad()
    def decode(self, codes: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Raw features (L * frames_per_token, F) float32 of each clip's codes (L,) or (L, Q).

        Raises:
            UserError: names the index of a clip that is empty or has a code outside the codebook.
        """
        clips = [np.asarray(clip) for clip in codes]
        for index, clip in enumerate(clips):
            self._check_codes(index, clip)
        clips = [clip.astype(np.int64) for clip in clips]
        decoded = self._in_batches(clips, self.tokenizer.decode, self.frames_per_token, 1)
        return [self.raw(clip) for clip in decoded]

    @classmethod
    def load(
        cls,
        folder: Path,
        codebook_size: int | None = None,
        n_features: int | None = None,
        device: str | torch.device = "cpu",
        codebooks: int | None = 1,
    ) -> "TrainedTokenizer":
        """Read what `save` wrote.

        Args:
            codebook_size, n_features, codebooks: what the caller needs; None takes what is there.

        Raises:
            UserError: files missing or damaged, another codebook size, feature width or number of
                codebooks than asked for, or weights that don't fit the description.
        """
        wanted = {
            "codebook_size": codebook_size,
            "n_features": n_features,
            "codebooks": codebooks,
        }
        return cls.open(folder, wanted, device)

    def _check_codes(self, index: int, clip: np.ndarray) -> None:
        fits = clip.ndim == 1 if self.codebooks == 1 else clip.ndim == 2
        if not fits or clip.size == 0 or not np.issubdtype(clip.dtype, np.integer):
            raise UserError(
                f"clip {index}: {clip.dtype} codes of shape {clip.shape}; expected one or more "
                "integers" + (f" for each of {self.codebooks} codebooks" if not fits else "")
            )
        least, most = self.tokenizer.least_code, self.codebook_size - 1
        outside = np.argwhere((clip < least) | (clip > most))
        if len(outside):
            at = tuple(outside[0])
            raise UserError(
                f"clip {index}: code {clip[at]} at token {at[0]} is outside the codebook "
                f"of {self.codebook_size}: expected {least} to {most}"
            )
