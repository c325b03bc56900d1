"""A trained codec with its normalisation: what codecs with codes and with vectors share.

Shape letters: T frames, F features.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import torch
from torch import Tensor

from motiongpt.codecs.base import Codec
from motiongpt.codecs.files import CodecFiles
from motiongpt.errors import UserError
from motiongpt.full_float32 import full_float32

BATCH_SIZES, LARGE_BATCH = {"cpu": 16}, 128
Rows = Callable[[Tensor, Tensor | None], Tensor]


class TrainedCodec(ABC):
    """A codec that takes and gives features in their own units, clip by clip.

    Args:
        network: trained; it is put into evaluation mode and stays on its device.
        mean, std: (F,) of the normalisation it was trained with.
        batch_size: clips coded at a time; does not change the result. None takes 16 on a CPU, whose
            caches hold no more of them, and 128 elsewhere.

    Attributes:
        files: how it lies in a folder.

    Raises:
        UserError: mean or std don't fit the network, or a std is not positive.
    """

    files: ClassVar[CodecFiles]

    def __init__(
        self,
        network: Codec,
        mean: np.ndarray,
        std: np.ndarray,
        batch_size: int | None = None,
    ) -> None:
        self.network: Codec = network.eval()
        self.mean = np.asarray(mean, dtype=np.float32)
        self.std = np.asarray(std, dtype=np.float32)
        self.batch_size = batch_size
        for name, values in (("mean", self.mean), ("std", self.std)):
            if values.shape != (network.n_features,):
                raise UserError(
                    f"the {self.files.kind}'s {name} has shape {values.shape}; expected "
                    f"({network.n_features},), one number a feature"
                )
        if not (self.std > 0).all():
            raise UserError(
                f"the {self.files.kind}'s std of feature {int(self.std.argmin())} is not > 0"
            )

    @property
    def n_features(self) -> int:
        """F."""
        return self.network.n_features

    @torch.no_grad()
    def reconstruct(self, clips: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Raw features (T, F) encoded and decoded, each clip at exactly its own length.

        A clip that the codec can't take as it is gets its last frame repeated, which is cut off
        again; one that is longer than `longest` goes in consecutive pieces.

        Raises:
            UserError: names the index of a clip that is empty, not finite or of another width.
        """
        checked = [self._checked(index, clip, 1) for index, clip in enumerate(clips)]
        pieces = [self._pieces(clip) for clip in checked]
        whole = [self.normalised(self._filled_up(piece)) for cut in pieces for piece in cut]
        rows = iter(self._in_batches(whole, self.network.reconstruct))
        made = [[self.raw(next(rows)[: len(piece)]) for piece in cut] for cut in pieces]
        return [np.concatenate(parts) for parts in made]

    def normalised(self, clip: np.ndarray) -> np.ndarray:
        """What the network takes of raw features (…, F)."""
        return (clip - self.mean) / self.std

    def raw(self, clip: np.ndarray) -> np.ndarray:
        """Raw features (…, F) of what the network gives."""
        return clip * self.std + self.mean

    def save(self, folder: Path) -> None:
        """Write the description and the weights into `folder`; see `files` for their names."""
        self.files.write(folder, self.network, self.mean, self.std)

    @classmethod
    def open(
        cls, folder: Path, wanted: Mapping[str, int | None], device: str | torch.device
    ) -> Self:
        """Read what `save` wrote; see `CodecFiles.read` for `wanted` and what is raised."""
        network, mean, std = cls.files.read(folder, wanted)
        return cls(network.to(device), mean, std)

    @abstractmethod
    def whole_frames(self, frames: int) -> int:
        """The least number of frames, `frames` or more, that the network keeps all of."""

    def _pieces(self, clip: np.ndarray) -> list[np.ndarray]:
        step = self.network.longest or len(clip)
        return [clip[first : first + step] for first in range(0, len(clip), step)]

    def _filled_up(self, piece: np.ndarray) -> np.ndarray:
        missing = self.whole_frames(len(piece)) - len(piece)
        return np.concatenate([piece, np.repeat(piece[-1:], missing, axis=0)])

    @full_float32()
    def _in_batches(
        self, clips: Sequence[np.ndarray], function: Rows, factor: int = 1, divisor: int = 1
    ) -> list[np.ndarray]:
        """`function` of every clip, similar lengths together; the order of `clips` is kept.

        Row i is cut to its clip's length x factor // divisor.
        """
        results: list[np.ndarray] = [np.empty(0)] * len(clips)
        device = next(self.network.parameters()).device
        for indices in self._portions([len(clip) for clip in clips]):
            lengths = torch.tensor([len(clips[index]) for index in indices])
            batch = torch.nn.utils.rnn.pad_sequence(
                [torch.from_numpy(clips[index]) for index in indices], batch_first=True
            )
            # Clips of one length have no padding to be hidden.
            hidden = lengths.to(device) if len(set(lengths.tolist())) > 1 else None
            rows = function(batch.to(device), hidden).cpu().numpy()
            for index, row, length in zip(indices, rows, lengths.tolist(), strict=True):
                results[index] = row[: length * factor // divisor].copy()
        return results

    def _portions(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        """Indices of at most a batch of clips of similar lengths."""
        device = next(self.network.parameters()).device
        size = self.batch_size or BATCH_SIZES.get(device.type, LARGE_BATCH)
        order = sorted(range(len(lengths)), key=lambda index: lengths[index])
        for first in range(0, len(order), size):
            yield order[first : first + size]

    def _checked(self, index: int, features: np.ndarray, shortest: int) -> np.ndarray:
        """Raw features of one clip in float32.

        Raises:
            UserError: another width, too short, or NaN or infinity in it.
        """
        clip = np.asarray(features, dtype=np.float32)
        if clip.ndim != 2 or clip.shape[1] != self.n_features:
            raise UserError(
                f"clip {index}: shape {clip.shape}; expected (frames, {self.n_features})"
            )
        if len(clip) < shortest:
            raise UserError(f"clip {index}: {len(clip)} frames; expected at least {shortest}")
        if not np.isfinite(clip).all():
            frame = int((~np.isfinite(clip)).any(1).argmax())
            raise UserError(f"clip {index}: frame {frame} holds NaN or infinity")
        return clip
