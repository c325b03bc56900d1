"""Batches of two views of each clip's captions, for a text encoder to bring together.

Shape letters: B clips, L tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from motiongpt.backbones.padding import mask, pad

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class PairBatch(NamedTuple):
    """Two views of B clips; the first view's B rows stand before the second's.

    Attributes:
        input_ids, attention_mask: (2 B, L) int64, what is left of the captions.
        words: (2 B, V) float32, 1 at each token of the whole caption, its end left out.
        alike: (B, B) bool, True where two clips share a caption: neither is the other's negative.
    """

    input_ids: Tensor
    attention_mask: Tensor
    words: Tensor
    alike: Tensor


class CaptionPairs:
    """Draws clips, and two different captions of each, or the same twice where there is one only.

    Each view loses some tokens at random, never its end: two views of one caption differ, as in
    SimCSE (Gao et al., arXiv:2104.08821), and no single word is enough to tell clips apart.

    Args:
        clips: captions of each clip, at least one.
        max_tokens: longer captions are cut there.
        word_dropout: share of tokens that are lost.
        seed: of all that is drawn.
    """

    def __init__(
        self,
        clips: Sequence[Sequence[str]],
        text_tokenizer: PreTrainedTokenizerBase,
        max_tokens: int,
        word_dropout: float,
        seed: int,
    ) -> None:
        flat = [text for texts in clips for text in texts]
        ids = text_tokenizer(flat, truncation=True, max_length=max_tokens)["input_ids"]
        found = iter(ids)
        self.rows = [[next(found) for _ in texts] for texts in clips]
        self.captions = [{tuple(row) for row in rows} for rows in self.rows]
        self.n_tokens, self.padding = len(text_tokenizer), text_tokenizer.pad_token_id
        self.word_dropout = word_dropout
        self.rng = np.random.default_rng(seed)

    def draw(self, batch_size: int) -> PairBatch:
        """A batch of different clips; of all there are, if there are fewer."""
        size = min(batch_size, len(self.rows))
        chosen = self.rng.choice(len(self.rows), size, replace=False)
        views = [self._two(self.rows[clip]) for clip in chosen]
        whole = [first for first, _ in views] + [second for _, second in views]
        kept = [self._thinned(row) for row in whole]
        words = torch.zeros(len(whole), self.n_tokens)
        for index, row in enumerate(whole):
            words[index, row[:-1]] = 1.0
        sets = [self.captions[clip] for clip in chosen]
        alike = torch.tensor([[not one.isdisjoint(other) for other in sets] for one in sets])
        return PairBatch(pad(kept, self.padding), mask(kept), words, alike)

    def _two(self, rows: Sequence[list[int]]) -> tuple[list[int], list[int]]:
        if len(rows) == 1:
            return rows[0], rows[0]
        first, second = self.rng.choice(len(rows), 2, replace=False)
        return rows[first], rows[second]

    def _thinned(self, row: list[int]) -> list[int]:
        stays = self.rng.random(len(row)) >= self.word_dropout
        stays[-1] = True
        return [token for token, here in zip(row, stays, strict=True) if here]
