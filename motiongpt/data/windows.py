"""Windows of a fixed number of frames at random positions: what a motion tokenizer trains on.

Shape letters: B batch, W frames of a window, F features.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError

Window = tuple[Tensor, int]


class FeatureWindows(Dataset[Window]):
    """Normalised windows of a store, asked for by (index of a clip in the store, random seed).

    The seed alone decides where the window lies, so that neither the number of workers nor the
    order of the requests changes what training sees.
    """

    def __init__(self, store: MotionStore, frames: int, short: str = "pad") -> None:
        """Note the settings.

        Args:
            store: of all splits, with the statistics that features are normalised by; `indices`
                says which clips of a split can be asked for.
            frames: W. MotionGPT trains its tokenizer on 64.
            short: what becomes of clips of fewer frames: "pad" (zeros, which is the mean pose,
                after their last frame; the length says how many frames count) or "skip", as
                MotionGPT does.

        Raises:
            UserError: `short` is neither.
        """
        if short not in SHORT:
            raise UserError(f"unknown short={short!r}; choose one of: {', '.join(SHORT)}")
        self.store = store
        self.frames = frames
        self.short = short
        self.mean, self.std = store.mean, store.std

    def indices(self, split: str) -> np.ndarray:
        """Indices of the clips of `split` to ask for, int64.

        Raises:
            UserError: no such split.
        """
        return SHORT[self.short](self.store.indices(split), self.store.lengths, self.frames)

    def left_out(self, split: str) -> int:
        """Clips of `split` that are too short to be asked for."""
        return len(self.store.indices(split)) - len(self.indices(split))

    def __len__(self) -> int:
        return len(self.store)

    def __getitem__(self, key: tuple[int, int]) -> Window:
        """Features (W, F) float32, normalised, and how many of their frames are the clip's."""
        index, seed = key
        spare = max(0, int(self.store.lengths[index]) - self.frames)
        start = int(np.random.default_rng(seed).integers(spare + 1))
        cut = self.store.features(index, start, start + self.frames)
        cut = (cut - self.mean) / self.std
        window = torch.zeros(self.frames, self.store.n_features)
        window[: len(cut)] = torch.from_numpy(cut)
        return window, len(cut)


def collate_windows(windows: Sequence[Window]) -> dict[str, Tensor]:
    """A batch: `features` (B, W, F) float32 and `lengths` (B,) int64 valid frames."""
    features, lengths = zip(*windows, strict=True)
    return {"features": torch.stack(features), "lengths": torch.tensor(lengths, dtype=torch.int64)}


def _all(indices: np.ndarray, lengths: np.ndarray, frames: int) -> np.ndarray:
    return indices


def _long_enough(indices: np.ndarray, lengths: np.ndarray, frames: int) -> np.ndarray:
    return indices[lengths[indices] >= frames]


SHORT: dict[str, Callable[[np.ndarray, np.ndarray, int], np.ndarray]] = {
    "pad": _all,
    "skip": _long_enough,
}
