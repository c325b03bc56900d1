"""Training examples of MotionGPT3: clips as latents and captions as ids, made once.

Shapes: B batch, N latent vectors of D numbers, L tokens of the longest caption.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from motiongpt.codecs.base import Gaussian
from motiongpt.data.store import MotionStore
from motiongpt.methods.motiongpt3.diffusion import STEPS

IGNORED = -100


class Pair(NamedTuple):
    """One clip with one caption, or a batch of B of them.

    Attributes:
        latents: (N, D) or (B, N, D) float32, scaled.
        ids: (l,) or (B, L) int64 of the caption and its end, padded with the end.
        lengths: () or (B,) int64, ids with the end.
        noise: (M, N, D) or (B, M, N, D) float32 standard normal, M draws for each clip.
        steps: (M,) or (B, M) int64 of the diffusion.
        dropped: (M,) or (B, M) bool, whether the head learns without the words.
        counted: the sum of `lengths`, known without asking the device.
    """

    latents: Tensor
    ids: Tensor
    lengths: Tensor
    noise: Tensor
    steps: Tensor
    dropped: Tensor
    counted: int


class Pairs(Dataset[Pair]):
    """For each key (clip index, random seed) an example that depends on nothing else.

    Args:
        store: of the clips.
        latents: clip index -> distribution (N, D), for the clips of the train and val splits.
        ids: caption -> its ids with the end.
        scale: of the latents.
        draws: M, noises that the head learns from for each clip; 4 as released.
        drop_text: how often the head learns without the words; 0.1 as released.
    """

    def __init__(
        self,
        store: MotionStore,
        latents: Mapping[int, Gaussian],
        ids: Mapping[str, Sequence[int]],
        scale: float,
        draws: int,
        drop_text: float,
    ) -> None:
        self.store, self.latents, self.ids = store, latents, ids
        self.scale, self.draws, self.drop_text = scale, draws, drop_text

    def __getitem__(self, key: tuple[int, int]) -> Pair:
        """The example of one key: a sample of the clip's latent, and one of its captions."""
        index, seed = key
        rng = np.random.default_rng(seed)
        captions = self.store.captions(index)
        ids = torch.tensor(self.ids[captions[rng.integers(len(captions))].text])
        mean, std = self.latents[index]
        shape = (self.draws, *mean.shape)
        drawn, noise = (
            torch.from_numpy(rng.standard_normal(size, dtype=np.float32))
            for size in (mean.shape, shape)
        )
        return Pair(
            self.scale * (mean + std * drawn),
            ids,
            torch.tensor(len(ids)),
            noise,
            torch.from_numpy(rng.integers(STEPS, size=self.draws)),
            torch.from_numpy(rng.random(self.draws) < self.drop_text),
            len(ids),
        )


def collate(pairs: Sequence[Pair], end: int) -> Pair:
    """A batch; `end` fills captions up."""
    stacked = {
        name: torch.stack([getattr(pair, name) for pair in pairs])
        for name in ("latents", "lengths", "noise", "steps", "dropped")
    }
    ids = torch.nn.utils.rnn.pad_sequence([pair.ids for pair in pairs], True, end)
    return Pair(ids=ids, counted=sum(pair.counted for pair in pairs), **stacked)


def latent_scale(latents: Mapping[int, Gaussian], clips: np.ndarray) -> float:
    """What makes the latents' numbers vary by 1 over these clips (MotionGPT3 has 0.8457)."""
    means = torch.stack([latents[int(index)].mean for index in clips])
    stds = torch.stack([latents[int(index)].std for index in clips])
    variance = stds.square().mean() + means.flatten(1).var(0, correction=0).mean()
    return float(1 / variance.sqrt())
