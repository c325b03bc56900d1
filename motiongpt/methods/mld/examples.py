"""Training examples of MLD: every clip as a latent and every caption as features, made once.

Shapes: B batch, N latent vectors, D width, X numbers of a text's features, U captions.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from motiongpt.codecs.base import Gaussian
from motiongpt.codecs.trained_latents import TrainedLatents
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.text_encoders.base import TextEncoder

TRAINED_SPLITS = ("train", "val")
LATENTS = ("sampled", "mean")


class LatentExample(NamedTuple):
    """One clip of a batch, or a batch of B of them.

    Attributes:
        latents: (N, D) or (B, N, D) float32.
        texts: (X,) or (B, X) float32 features of a caption.
        dropped: () or (B,) bool, whether training hides the caption.
        noise: (N, D) or (B, N, D) float32 standard normal.
        steps: () or (B,) int64 of the diffusion.
    """

    latents: Tensor
    texts: Tensor
    dropped: Tensor
    noise: Tensor
    steps: Tensor


class LatentExamples(Dataset[LatentExample]):
    """For each key (clip index, random seed) an example that depends on nothing else.

    Args:
        store: of the clips.
        latents: clip index -> distribution (N, D), for the clips of the train and val splits.
        texts: (U, X) float32 features of the captions that there are.
        text_of: caption -> its row of `texts`.
        latent: "sampled" of the distribution anew each time, as released, or its "mean".
        drop_text: how often a caption is marked as hidden.
        steps: of the whole diffusion; each is as likely.

    Raises:
        UserError: another `latent`, or a share that is none.
    """

    def __init__(
        self,
        store: MotionStore,
        latents: Mapping[int, Gaussian],
        texts: Tensor,
        text_of: Mapping[str, int],
        latent: str,
        drop_text: float,
        steps: int,
    ) -> None:
        check_choices(latent, drop_text)
        self.store, self.latents, self.texts, self.text_of = store, latents, texts, text_of
        self.latent, self.drop_text, self.steps = latent, drop_text, steps

    def __getitem__(self, key: tuple[int, int]) -> LatentExample:
        """The example of one key: one caption of the clip, its latent, and noise for it."""
        index, seed = key
        rng = np.random.default_rng(seed)
        captions = self.store.captions(index)
        text = self.texts[self.text_of[captions[rng.integers(len(captions))].text]]
        dropped, step = rng.random() < self.drop_text, rng.integers(self.steps)
        mean, std = self.latents[index]
        noise, deviation = (
            torch.from_numpy(rng.standard_normal(mean.shape, dtype=np.float32)) for _ in range(2)
        )
        latent = mean if self.latent == "mean" else mean + std * deviation
        return LatentExample(
            latent, text, torch.tensor(bool(dropped)), noise, torch.tensor(int(step))
        )


def check_choices(latent: str, drop_text: float) -> None:
    """Refuse settings of a stage that there are not.

    Raises:
        UserError: another `latent`, or a share that is none.
    """
    if latent not in LATENTS:
        raise UserError(f"stage.mld.latent={latent}; choose one of: {', '.join(LATENTS)}")
    if not 0 <= drop_text <= 1:
        raise UserError(f"stage.mld.drop_text={drop_text} must lie between 0 and 1")


def collate(examples: Sequence[LatentExample]) -> LatentExample:
    """A batch of examples."""
    return LatentExample(*(torch.stack(values) for values in zip(*examples, strict=True)))


def encoded_clips(store: MotionStore, codec: TrainedLatents) -> dict[int, Gaussian]:
    """Clip index -> distribution (N, D) of the latent, for the clips of train and val.

    A clip that is longer than the codec takes is cut to its first frames.
    """
    clips = [int(i) for split in TRAINED_SPLITS for i in store.indices(split)]
    found = codec.encode([store.features(i, stop=codec.codec.longest) for i in clips])
    return {
        index: Gaussian(torch.from_numpy(mean), torch.from_numpy(std))
        for index, (mean, std) in zip(clips, found, strict=True)
    }


def embedded_captions(store: MotionStore, encoder: TextEncoder) -> tuple[Tensor, dict[str, int]]:
    """Features (U, X) float32 of the captions of train and val, and caption -> row."""
    row_of: dict[str, int] = {}
    for split in TRAINED_SPLITS:
        for index in store.indices(split):
            for caption in store.captions(int(index)):
                row_of.setdefault(caption.text, len(row_of))
    return encoder.encode(list(row_of)).float().cpu(), row_of


def latent_shape(codec: TrainedLatents) -> tuple[int, int]:
    """N and D of a codec, by the shortest clip that there is."""
    clip = np.zeros((codec.codec.shortest, codec.n_features), np.float32)
    ((mean, _),) = codec.encode([clip])
    vectors, width = mean.shape
    return vectors, width
