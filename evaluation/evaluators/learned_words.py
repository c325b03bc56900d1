"""Word vectors learned from the training captions, where GloVe is not at hand.

The documented stand-in: a vector for each lower-case word of the training captions, "unk" for all
others, and no parts of speech: of T2M's categories, only the published word lists are used.
Shapes: B captions, L words with the marks around them, D width of a vector.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from evaluation.evaluators.parts_of_speech import CATEGORIES, OTHER, category
from evaluation.evaluators.sentence_tags import words_of
from evaluation.evaluators.word_vectors import END, START, UNKNOWN, WordVectors


class LearnedWords(nn.Module):
    """A vector for each word, trained with the text encoder.

    Args:
        captions: all of the training split.
        width: D.
        rare: words seen fewer times than this have no vector of their own.
        dropout: share of words that training replaces by "unk", so that it gets a meaning.
    """

    def __init__(self, captions: Iterable[str], width: int, rare: int, dropout: float) -> None:
        super().__init__()
        counts = Counter(word for caption in captions for word in words_of(caption))
        known = sorted(word for word, count in counts.items() if count >= rare)
        self.start, self.end = (mark.rpartition("/")[0] for mark in (START, END))
        marks = (UNKNOWN, self.start, self.end)
        names = [*marks, *(word for word in known if word not in marks)]
        self.indices = {word: index for index, word in enumerate(names)}
        self.dropout = dropout
        self.embedding = nn.Embedding(len(names), width)
        nn.init.normal_(self.embedding.weight, std=width**-0.5)

    def batch(
        self, captions: Sequence[str], max_words: int, draw: np.random.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Rows (B, L), one-hot categories (B, L, 15) and lengths (B,), some words unknown."""
        sentences = [[self.start, *words_of(text)[:max_words], self.end] for text in captions]
        lengths = torch.tensor([len(sentence) for sentence in sentences])
        shape = (len(sentences), int(lengths.max()))
        rows, categories = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
        dropped = draw.random(shape) < self.dropout
        dropped[:, 0] = False
        for row, sentence in enumerate(sentences):
            dropped[row, len(sentence) - 1] = False
            for column, word in enumerate(sentence):
                known = word in self.indices and not dropped[row, column]
                rows[row, column] = self.indices[word if known else UNKNOWN]
                named = category(word, OTHER) if known else CATEGORIES.index(OTHER)
                categories[row, column] = named
        one_hot = torch.eye(len(CATEGORIES))[torch.from_numpy(categories)]
        return torch.from_numpy(rows), one_hot, lengths

    def vectors(self) -> WordVectors:
        """What was learned, as the evaluator uses it."""
        weight = self.embedding.weight.detach().cpu().numpy().copy()
        return WordVectors(self.indices, weight)
