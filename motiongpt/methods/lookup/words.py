"""The nearest caption by its words alone: TF-IDF weights, cosine between captions.

Shape letters: N captions, V words of the vocabulary, P pairs of a caption and a word of it.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from motiongpt.arrays import map_array
from motiongpt.data.string_table import StringTable
from motiongpt.data.word_stems import WORD, stems
from motiongpt.files import save_array

# Scores are compared after rounding: what differs by the order of a sum alone is equal.
DIGITS = 9


class CaptionIndex:
    """Which captions have which words, and what each weighs.

    A word counts tf · idf with idf = ln((1 + N) / (1 + df)) + 1, where tf is how often the caption
    has it and df how many captions do (Salton and Buckley, 1988; smoothed as if one more caption
    had every word). Captions are vectors of length 1; their similarity is the cosine.

    Args:
        words: V stems in alphabetical order.
        idf: (V,) float64.
        starts: (V + 1,) int64; pairs of word v are those from starts[v] to starts[v + 1].
        captions: (P,) int32 caption of each pair.
        weights: (P,) float64.
        digests: (N,) uint64 of each caption's words as they stand, to know the very same caption.
    """

    def __init__(
        self,
        words: Sequence[str],
        idf: np.ndarray,
        starts: np.ndarray,
        captions: np.ndarray,
        weights: np.ndarray,
        digests: np.ndarray,
    ) -> None:
        self.words = words
        self.idf, self.starts, self.captions = idf, starts, captions
        self.weights, self.digests = weights, digests
        self._numbers = {word: number for number, word in enumerate(words)}

    @classmethod
    def build(cls, texts: Sequence[str]) -> "CaptionIndex":
        """The index of captions; their order is that of `texts`."""
        counted = [Counter(stems(text)) for text in texts]
        df = Counter(word for words in counted for word in words)
        words = sorted(df)
        numbers = {word: number for number, word in enumerate(words)}
        idf = np.log((1 + len(texts)) / (1 + np.array([df[word] for word in words], np.float64)))
        idf += 1
        pairs: list[tuple[int, int, float]] = []
        for caption, counts in enumerate(counted):
            found, weights = _unit_vector(counts, numbers, idf)
            pairs += [(word, caption, w) for word, w in zip(found, weights, strict=True)]
        pairs.sort()
        starts = np.zeros(len(words) + 1, np.int64)
        np.cumsum([df[word] for word in words], out=starts[1:])
        return cls(
            words,
            idf,
            starts,
            np.array([caption for _, caption, _ in pairs], np.int32),
            np.array([weight for _, _, weight in pairs], np.float64),
            np.array([_digest(text) for text in texts], np.uint64),
        )

    def __len__(self) -> int:
        return len(self.digests)

    def similarities(self, text: str) -> np.ndarray:
        """(N,) float64: the cosine to each caption, 0 to 1; the very same caption has 2.

        One sentence at a time, summed word by word in alphabetical order: no batch changes it.
        """
        found = np.zeros(len(self), np.float64)
        words, weights = _unit_vector(Counter(stems(text)), self._numbers, self.idf)
        for word, weight in zip(words, weights, strict=True):
            pairs = slice(int(self.starts[word]), int(self.starts[word + 1]))
            found[self.captions[pairs]] += weight * self.weights[pairs]
        found = found.round(DIGITS)
        found[self.digests == _digest(text)] = 2
        return found

    def save(self, folder: Path) -> None:
        """Write the arrays into `folder`."""
        StringTable.write(folder, "words", self.words)
        for name in _ARRAYS:
            save_array(folder / f"{name}.npy", getattr(self, name))

    @classmethod
    def open(cls, folder: Path) -> "CaptionIndex":
        """Open what `save` wrote.

        Raises:
            OSError, ValueError, EOFError: a file is missing or damaged.
        """
        arrays = {name: map_array(folder / f"{name}.npy") for name in _ARRAYS}
        index = cls(list(StringTable.open(folder, "words")), **arrays)
        pairs = int(index.starts[-1])
        if pairs != len(index.captions) or pairs != len(index.weights):
            raise ValueError(f"{len(index.weights)} weights of {pairs} words of captions")
        if len(index.words) != len(index.idf):
            raise ValueError(f"{len(index.idf)} idf of {len(index.words)} words")
        return index


_ARRAYS = ("idf", "starts", "captions", "weights", "digests")


def _unit_vector(
    counts: Counter[str], numbers: dict[str, int], idf: np.ndarray
) -> tuple[list[int], np.ndarray]:
    """Numbers of the known words, ascending, and their weights; the vector has length 1."""
    known = sorted(numbers[word] for word in counts if word in numbers)
    by_number = {numbers[word]: count for word, count in counts.items() if word in numbers}
    weights = np.array([by_number[number] for number in known], np.float64) * idf[known]
    length = np.sqrt(np.square(weights).sum())
    return known, weights / length if len(known) else weights


def _digest(text: str) -> int:
    words = " ".join(WORD.findall(text.lower()))
    return int.from_bytes(hashlib.blake2b(words.encode(), digest_size=8).digest(), "little")
