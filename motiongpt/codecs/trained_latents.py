"""A trained continuous codec: raw motion in, vectors out, and back."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from motiongpt.codecs.base import ContinuousCodec
from motiongpt.codecs.files import CodecFiles
from motiongpt.codecs.trained_codec import TrainedCodec
from motiongpt.errors import UserError


class TrainedLatents(TrainedCodec):
    """A continuous codec that takes and gives features in their own units; see `TrainedCodec`.

    Shapes: T frames, F features, N vectors a clip of D numbers.
    """

    files = CodecFiles("codec", "codec.json", "codec.safetensors", "codec.", ContinuousCodec)

    def __init__(
        self,
        codec: ContinuousCodec,
        mean: np.ndarray,
        std: np.ndarray,
        batch_size: int | None = None,
    ) -> None:
        super().__init__(codec, mean, std, batch_size)
        self.codec = codec

    def whole_frames(self, frames: int) -> int:
        """See `TrainedCodec.whole_frames`."""
        return max(frames, self.codec.shortest)

    @torch.no_grad()
    def encode(self, features: Sequence[np.ndarray]) -> list[tuple[np.ndarray, np.ndarray]]:
        """Mean and standard deviation, (N, D) float32 each, of each clip of raw features (T, F).

        Raises:
            UserError: names the index of a clip that is too short or too long, not finite or of
                another width.
        """
        clips = [self._checked(i, clip, self.codec.shortest) for i, clip in enumerate(features)]
        for index, clip in enumerate(clips):
            if self.codec.longest is not None and len(clip) > self.codec.longest:
                raise UserError(
                    f"clip {index}: {len(clip)} frames; expected at most {self.codec.longest}"
                )
        found: list[tuple[np.ndarray, np.ndarray]] = [(np.empty(0), np.empty(0))] * len(clips)
        device = next(self.codec.parameters()).device
        for indices in self._portions([len(clip) for clip in clips]):
            rows = [torch.from_numpy(self.normalised(clips[index])) for index in indices]
            lengths = torch.tensor([len(row) for row in rows], device=device)
            batch = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True).to(device)
            means, stds = (part.cpu().numpy() for part in self.codec.encode(batch, lengths))
            for index, mean, std in zip(indices, means, stds, strict=True):
                found[index] = (mean.copy(), std.copy())
        return found

    @torch.no_grad()
    def decode(self, latents: Sequence[np.ndarray], lengths: Sequence[int]) -> list[np.ndarray]:
        """Raw features (T, F) float32 of each clip's latent (N, D), T given by `lengths`.

        Raises:
            UserError: a length that the codec has not.
        """
        for index, length in enumerate(lengths):
            if not 1 <= length <= (self.codec.longest or length):
                raise UserError(
                    f"clip {index}: {length} frames asked for; expected 1 to "
                    f"{self.codec.longest or 'any number'}"
                )
        made: list[np.ndarray] = [np.empty(0)] * len(latents)
        device = next(self.codec.parameters()).device
        for indices in self._portions(lengths):
            batch = torch.from_numpy(np.stack([latents[index] for index in indices]))
            asked = torch.tensor([lengths[index] for index in indices], device=device)
            rows = self.codec.decode(batch.float().to(device), asked).cpu().numpy()
            for index, row in zip(indices, rows, strict=True):
                made[index] = self.raw(row[: lengths[index]])
        return made

    @classmethod
    def load(
        cls, folder: Path, n_features: int | None = None, device: str | torch.device = "cpu"
    ) -> "TrainedLatents":
        """Read what `save` wrote.

        Args:
            n_features: what the caller needs; None takes what is there.

        Raises:
            UserError: files missing or damaged, another feature width than asked for, or weights
                that don't fit the description.
        """
        return cls.open(folder, {"n_features": n_features}, device)
