"""Training examples of TM2T: a clip's codes, a caption's words, by key.

Shapes: B batch, M codes of a row, L words, X numbers of a word, S steps, A codes and marks.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from motiongpt.data.store import MotionStore
from motiongpt.methods.tm2t.rows import code_row, motion_marks, padded
from motiongpt.methods.tm2t.vocabulary import Vocabulary
from motiongpt.text_encoders.texts import Texts, batch_of


class Pair(NamedTuple):
    """One clip and one of its captions.

    Attributes:
        codes: start, codes, end.
        words: start, words, end, as ids.
        text: (L, X) float32 features of the words; (1, 0) where none are read.
        gumbel: (S, A) float32; (0, A) where no code is drawn.
    """

    codes: list[int]
    words: list[int]
    text: Tensor
    gumbel: Tensor


class PairBatch(NamedTuple):
    """B pairs.

    Attributes:
        codes: (B, M) int64, padded.
        words: (B, L) int64, padded.
        texts: features of the words.
        gumbel: (B, S, A) float32.
        counts: ids of codes and of words of each row, known without asking the device.
    """

    codes: Tensor
    words: Tensor
    texts: Texts
    gumbel: Tensor
    counts: tuple[tuple[int, int], ...]


class Pairs(Dataset[Pair]):
    """For each key (clip index, random seed) a pair that depends on nothing else.

    Args:
        store: of the clips.
        codes: clip index -> (n,) int64, for the clips of train and val.
        codebook_size: of the codes.
        vocabulary: of the words.
        most_words: longer captions are cut.
        drop_probability: how often a training clip loses its first or last code.
        texts: caption -> features (L, X); None where none are read.
        steps: S, codes that are drawn on the way back.
    """

    def __init__(
        self,
        store: MotionStore,
        codes: Mapping[int, np.ndarray],
        codebook_size: int,
        vocabulary: Vocabulary,
        most_words: int,
        drop_probability: float,
        texts: Mapping[str, Tensor] | None = None,
        steps: int = 0,
    ) -> None:
        self.store, self.codes, self.codebook_size = store, codes, codebook_size
        self.vocabulary, self.most_words = vocabulary, most_words
        self.drop_probability, self.texts, self.steps = drop_probability, texts, steps
        self._trained = frozenset(store.indices("train").tolist())

    def __getitem__(self, key: tuple[int, int]) -> Pair:
        """The pair of one key."""
        index, seed = key
        rng = np.random.default_rng(seed)
        captions, codes = self.store.captions(index), self.codes[index].tolist()
        caption = captions[rng.integers(len(captions))].text
        dropped, which = rng.random() < self.drop_probability, ("first", "last")[rng.integers(2)]
        without = which if index in self._trained and dropped else ""
        gumbel = rng.gumbel(size=(self.steps, self.codebook_size + 3))
        return Pair(
            code_row(codes, motion_marks(self.codebook_size), without),
            self.vocabulary.ids(caption, self.most_words),
            torch.zeros(1, 0) if self.texts is None else self.texts[caption],
            torch.from_numpy(gumbel).float(),
        )

    def collate(self, pairs: Sequence[Pair]) -> PairBatch:
        """A batch of pairs."""
        return PairBatch(
            padded([one.codes for one in pairs], motion_marks(self.codebook_size).pad),
            padded([one.words for one in pairs], self.vocabulary.marks.pad),
            batch_of([one.text for one in pairs]),
            torch.stack([one.gumbel for one in pairs]),
            tuple((len(one.codes), len(one.words)) for one in pairs),
        )

    def counts(self) -> np.ndarray:
        """(N,) int64 codes of each clip of the store, 0 where it is not trained on."""
        return np.array([len(self.codes.get(i, ())) for i in range(len(self.store))], np.int64)
