"""A trained tokenizer with its normalisation: raw motion in, codes out, and back."""

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

import motiongpt.codecs as codecs
from motiongpt.codecs.base import DiscreteCodec
from motiongpt.errors import UserError
from motiongpt.files import save_with, write_json
from motiongpt.registry import class_by_name

DESCRIPTION = "tokenizer.json"
WEIGHTS = "tokenizer.safetensors"
FORMAT = 1
PREFIX = "tokenizer."
BATCH_SIZES, LARGE_BATCH = {"cpu": 16}, 128


class TrainedTokenizer:
    """A tokenizer that takes and gives features in their own units, clip by clip.

    Args:
        tokenizer: trained; it is put into evaluation mode and stays on its device.
        mean, std: (F,) of the normalisation it was trained with.
        batch_size: clips encoded or decoded at a time; does not change the result. None takes 16 on
            a CPU, whose caches hold no more of them, and 128 elsewhere.

    Raises:
        UserError: mean or std don't fit the tokenizer, or a std is not positive.
    """

    def __init__(
        self,
        tokenizer: DiscreteCodec,
        mean: np.ndarray,
        std: np.ndarray,
        batch_size: int | None = None,
    ) -> None:
        self.tokenizer = tokenizer.eval()
        self.mean = np.asarray(mean, dtype=np.float32)
        self.std = np.asarray(std, dtype=np.float32)
        self.batch_size = batch_size
        for name, values in (("mean", self.mean), ("std", self.std)):
            if values.shape != (tokenizer.n_features,):
                raise UserError(
                    f"the tokenizer's {name} has shape {values.shape}; expected "
                    f"({tokenizer.n_features},), one number a feature"
                )
        if not (self.std > 0).all():
            raise UserError(f"the tokenizer's std of feature {int(self.std.argmin())} is not > 0")

    @property
    def codebook_size(self) -> int:
        """Codes are 0 … codebook_size - 1."""
        return self.tokenizer.codebook_size

    @property
    def frames_per_token(self) -> int:
        """A clip of T frames has T // frames_per_token tokens."""
        return self.tokenizer.frames_per_token

    @property
    def n_features(self) -> int:
        """F."""
        return self.tokenizer.n_features

    @torch.no_grad()
    def encode(self, features: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Codes (T // frames_per_token,) int64 of each clip of raw features (T, F).

        Raises:
            UserError: names the index of a clip that is too short, not finite or of another width.
        """
        clips = [np.asarray(clip, dtype=np.float32) for clip in features]
        for index, clip in enumerate(clips):
            self._check_features(index, clip)
        normalised = [(clip - self.mean) / self.std for clip in clips]
        return self._in_batches(normalised, self.tokenizer.encode, 1, self.frames_per_token)

    @torch.no_grad()
    def decode(self, codes: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Raw features (L * frames_per_token, F) float32 of each clip's codes (L,).

        Raises:
            UserError: names the index of a clip that is empty or has a code outside the codebook.
        """
        clips = [np.asarray(clip) for clip in codes]
        for index, clip in enumerate(clips):
            self._check_codes(index, clip)
        clips = [clip.astype(np.int64) for clip in clips]
        decoded = self._in_batches(clips, self.tokenizer.decode, self.frames_per_token, 1)
        return [clip * self.std + self.mean for clip in decoded]

    def save(self, folder: Path) -> None:
        """Write `tokenizer.json` and `tokenizer.safetensors` into `folder`."""
        state = {PREFIX + name: t.contiguous() for name, t in self.tokenizer.state_dict().items()}
        state |= {"mean": torch.from_numpy(self.mean), "std": torch.from_numpy(self.std)}
        state = {name: tensor.detach().cpu() for name, tensor in state.items()}
        save_with(Path(folder) / WEIGHTS, lambda path: save_file(state, path))
        description = {
            "format": FORMAT,
            "class": type(self.tokenizer).__name__,
            "arguments": self.tokenizer.arguments(),
        }
        write_json(Path(folder) / DESCRIPTION, description)

    @classmethod
    def load(
        cls,
        folder: Path,
        codebook_size: int | None = None,
        n_features: int | None = None,
        device: str | torch.device = "cpu",
    ) -> "TrainedTokenizer":
        """Read what `save` wrote.

        Args:
            codebook_size, n_features: what the caller needs; None takes what is there.

        Raises:
            UserError: files missing or damaged, another codebook size or feature width than asked
                for, or weights that don't fit the description.
        """
        folder = Path(folder)
        tokenizer = _described(folder / DESCRIPTION)
        wanted = {"codebook_size": codebook_size, "n_features": n_features}
        for name, value in wanted.items():
            found = getattr(tokenizer, name)
            if value is not None and value != found:
                raise UserError(f"tokenizer {folder}: {name} expected {value}, found {found}")
        state = _weights(folder / WEIGHTS)
        mean, std = (state.pop(name, torch.empty(0)).numpy() for name in ("mean", "std"))
        state = {name.removeprefix(PREFIX): tensor for name, tensor in state.items()}
        _check_shapes(folder / WEIGHTS, tokenizer.state_dict(), state)
        tokenizer.load_state_dict(state)
        return cls(tokenizer.to(device), mean, std)

    def _in_batches(
        self,
        clips: list[np.ndarray],
        function: Callable[[Tensor, Tensor | None], Tensor],
        factor: int,
        divisor: int,
    ) -> list[np.ndarray]:
        """`function` of every clip, similar lengths together; the order of `clips` is kept."""
        results: list[np.ndarray] = [np.empty(0)] * len(clips)
        device = next(self.tokenizer.parameters()).device
        size = self.batch_size or BATCH_SIZES.get(device.type, LARGE_BATCH)
        for places in _portions(clips, size):
            lengths = torch.tensor([len(clips[place]) for place in places])
            batch = torch.nn.utils.rnn.pad_sequence(
                [torch.from_numpy(clips[place]) for place in places], batch_first=True
            )
            # Clips of one length have no padding to be hidden.
            hidden = lengths.to(device) if len(set(lengths.tolist())) > 1 else None
            rows = function(batch.to(device), hidden).cpu().numpy()
            for place, row, length in zip(places, rows, lengths.tolist(), strict=True):
                results[place] = row[: length * factor // divisor].copy()
        return results

    def _check_features(self, index: int, clip: np.ndarray) -> None:
        if clip.ndim != 2 or clip.shape[1] != self.n_features:
            raise UserError(
                f"clip {index}: shape {clip.shape}; expected (frames, {self.n_features})"
            )
        if len(clip) < self.frames_per_token:
            raise UserError(
                f"clip {index}: {len(clip)} frames are less than one token; expected at least "
                f"{self.frames_per_token}"
            )
        if not np.isfinite(clip).all():
            frame = int((~np.isfinite(clip)).any(1).argmax())
            raise UserError(f"clip {index}: frame {frame} holds NaN or infinity")

    def _check_codes(self, index: int, clip: np.ndarray) -> None:
        if clip.ndim != 1 or clip.size == 0 or not np.issubdtype(clip.dtype, np.integer):
            raise UserError(
                f"clip {index}: {clip.dtype} codes of shape {clip.shape}; expected one or more "
                "integers"
            )
        outside = (clip < 0) | (clip >= self.codebook_size)
        if outside.any():
            place = int(outside.argmax())
            raise UserError(
                f"clip {index}: code {clip[place]} at token {place} is outside the codebook of "
                f"{self.codebook_size}: expected 0 to {self.codebook_size - 1}"
            )


def _portions(clips: list[np.ndarray], size: int) -> Iterator[list[int]]:
    """Places of at most `size` clips of similar lengths."""
    order = sorted(range(len(clips)), key=lambda place: len(clips[place]))
    for first in range(0, len(order), size):
        yield order[first : first + size]


def _described(path: Path) -> DiscreteCodec:
    """The untrained tokenizer that a description names."""
    try:
        described = json.loads(path.read_text())
        if described["format"] != FORMAT:
            raise UserError(f"{path}: format {described['format']}; expected {FORMAT}")
        kind: Any = class_by_name(codecs, DiscreteCodec, described["class"])
        return kind.from_arguments(described["arguments"])
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run the tokenizer stage first") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a tokenizer's description: {error!r}") from error


def _weights(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except FileNotFoundError:
        raise UserError(f"{path}: no such file; run the tokenizer stage first") from None
    except SafetensorError as error:
        raise UserError(f"{path}: damaged weights: {error}") from error


def _check_shapes(path: Path, expected: dict[str, Tensor], found: dict[str, Tensor]) -> None:
    """Refuse weights that lack a tensor, have one too many or one of another shape."""
    for name in sorted(expected.keys() | found.keys()):
        shapes = [tuple(s[name].shape) if name in s else "none" for s in (expected, found)]
        if shapes[0] != shapes[1]:
            raise UserError(f"{path}: {name} expected shape {shapes[0]}, found {shapes[1]}")
