"""Training examples: every clip as codes and every caption as features, made once.

Shape letters: X numbers of a text's features, n codes of a clip.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from motiongpt.codecs.vq_vae.encoded_clips import trained_clips
from motiongpt.data.store import MotionStore
from motiongpt.methods.t2m_gpt.rows import Row, corrupt_at_random, drop_at_random

EMBEDDED_AT_A_TIME = 256

Embed = Callable[[Sequence[str]], Tensor]


@dataclass(frozen=True)
class Augmentation:
    """What the network is trained to bear; none of it in a validation.

    Attributes:
        keep_probability: of each input; the others are replaced by any code.
        drop_probability: of losing the first or last token of a clip.
    """

    keep_probability: float
    drop_probability: float


class CodeExamples(Dataset[Row]):
    """For each key (clip index, random seed) a row that depends on nothing else.

    Args:
        store: of the clips.
        codes: clip index -> (n,) int64, for the clips of the train and val splits.
        texts: (U, X) float32 features of the captions that there are.
        text_of: caption -> its row of `texts`.
        codebook_size: of the codes.
        augmentation: of the rows of the train split.
    """

    def __init__(
        self,
        store: MotionStore,
        codes: Mapping[int, np.ndarray],
        texts: Tensor,
        text_of: Mapping[str, int],
        codebook_size: int,
        augmentation: Augmentation,
    ) -> None:
        self.store, self.codes, self.texts = store, codes, texts
        self.text_of, self.codebook_size, self.augmentation = text_of, codebook_size, augmentation
        self._trained = frozenset(store.indices("train").tolist())

    def __getitem__(self, key: tuple[int, int]) -> Row:
        """The row of one key: one caption of the clip, and its codes."""
        index, seed = key
        rng = np.random.default_rng(seed)
        captions = self.store.captions(index)
        text = self.texts[self.text_of[captions[rng.integers(len(captions))].text]]
        codes = self.codes[index]
        if index not in self._trained:
            return Row(text, codes, codes)
        codes = drop_at_random(codes, self.augmentation.drop_probability, rng)
        keep = self.augmentation.keep_probability
        return Row(text, codes, corrupt_at_random(codes, keep, self.codebook_size, rng))

    def counts(self) -> np.ndarray:
        """(N,) int64 codes of each clip of the store, 0 where it is not trained on."""
        return np.array([len(self.codes.get(i, ())) for i in range(len(self.store))], np.int64)


def embedded_captions(captions: Sequence[str], embed: Embed) -> dict[str, Tensor]:
    """Features of captions ("texts", (U, X) float32 on the CPU)."""
    portions = range(0, len(captions), EMBEDDED_AT_A_TIME)
    found = [embed(captions[first : first + EMBEDDED_AT_A_TIME]).cpu() for first in portions]
    return {"texts": torch.cat(found).float() if found else torch.zeros(0, 0)}


def captions_of(store: MotionStore) -> dict[str, int]:
    """Each different caption of train and val -> its number, in the store's order."""
    found: dict[str, int] = {}
    for index in trained_clips(store):
        for caption in store.captions(int(index)):
            found.setdefault(caption.text, len(found))
    return found
