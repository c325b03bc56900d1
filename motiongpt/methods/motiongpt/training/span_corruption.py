"""T5's span corruption: runs of tokens are replaced by sentinels and generated as the target.

Source: Raffel et al., "Exploring the limits of transfer learning" (T5), section 3.1: 15 % of the
tokens, spans of 3 on average. Shape letters: B rows, L tokens.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.tasks.example import TokenExample

Mask = NDArray[np.bool_]
TokenIds = NDArray[np.int64]

CORRUPTED_SHARE = 0.15
MEAN_SPAN_LENGTH = 3.0


def span_mask(
    length: int,
    shuffle: Callable[[Mask], None],
    share: float = CORRUPTED_SHARE,
    mean_span_length: float = MEAN_SPAN_LENGTH,
    most_spans: int | None = None,
    anywhere: bool = True,
) -> Mask:
    """Which of `length` tokens are corrupted, (length,) bool.

    Kept and corrupted spans alternate; both are cut at random positions. Nothing is corrupted in a
    row of fewer than two tokens.

    Args:
        length: tokens of the row, without padding.
        shuffle: shuffles an array in place, such as `numpy.random.Generator.shuffle`.
        share: of tokens that are corrupted; at least one is, and one is kept.
        mean_span_length: of corrupted spans, in tokens.
        most_spans: limit where sentinels are few.
        anywhere: spans may lie anywhere. False is T5's own arithmetic, and the released code's: a
            row begins with kept and ends with corrupted tokens. That matters for short rows: up to
            about 30 tokens have a single span, which would always be the row's end.
    """
    if length < 2:
        return np.zeros(length, np.bool_)
    corrupted = min(max(round(length * share), 1), length - 1)
    spans = max(round(corrupted / mean_span_length), 1)
    spans = min(spans, length - corrupted, most_spans or spans)
    corrupted_lengths = _cut(corrupted, spans, shuffle)
    if anywhere:
        # One kept span more; the two at the ends may be empty.
        kept_lengths = _cut(length - corrupted + 2, spans + 1, shuffle)
        kept_lengths[[0, -1]] -= 1
    else:
        kept_lengths = _cut(length - corrupted, spans, shuffle)
    lengths = np.zeros(2 * len(kept_lengths), np.int64)
    lengths[::2] = kept_lengths
    lengths[1 : 2 * spans : 2] = corrupted_lengths
    return np.repeat(np.arange(len(lengths)) % 2 == 1, lengths)


def span_numbers(mask: Mask) -> TokenIds:
    """Number the spans of a mask: (..., L) bool -> (..., L) int64.

    The first token of the k-th span gets k, counted from 1; its other tokens -1, all else 0.
    """
    before = np.zeros_like(mask)
    before[..., 1:] = mask[..., :-1]
    starts = mask & ~before
    return np.where(starts, np.cumsum(starts, axis=-1, dtype=np.int64), np.where(mask, -1, 0))


def without_spans(ids: TokenIds, mask: Mask, sentinels: TokenIds, end: int) -> TokenIds:
    """Put one sentinel in the place of each span of a row (L,), and `end` after it.

    Args:
        ids: (L,) token ids.
        mask: (L,) tokens of the spans.
        sentinels: (S,) ids of the sentinels of the first, second, ... span.
        end: id of the end of text.
    """
    numbers = span_numbers(mask)
    filled = np.where(numbers > 0, sentinels[np.maximum(numbers, 1) - 1], ids)
    return np.append(filled[numbers != -1], end)


def only_spans(ids: TokenIds, mask: Mask, sentinels: TokenIds, end: int) -> TokenIds:
    """Write the spans of a row (L,), each after its sentinel, and `end` after the last."""
    starts = np.flatnonzero(span_numbers(mask) > 0)
    marked = np.insert(ids, starts, sentinels[: len(starts)])
    return np.append(marked[np.insert(mask, starts, True)], end)


def released_corruption(
    ids: TokenIds, masks: Mask, text_tokens: int, codebook_size: int, end: int = 1
) -> tuple[TokenIds, TokenIds]:
    """Inputs and labels of the released code for rows (B, L) that are padded to one length.

    It masks padding like text, and finds its sentinels by counting back from the end of the text
    tokenizer over the motion tokens. Rows must have equally many spans and corrupted tokens, as
    its masks of one length have.

    Args:
        ids: (B, L) token ids.
        masks: (B, L) corrupted tokens.
        text_tokens: length of the text tokenizer, motion tokens included.
        codebook_size: codes; there are three more motion tokens.
        end: id of the end of text, 1 in T5.
    """
    sentinels = released_sentinels(text_tokens, codebook_size, ids.shape[-1])
    pairs = list(zip(ids, masks, strict=True))
    inputs = [without_spans(row, mask, sentinels, end) for row, mask in pairs]
    labels = [without_spans(row, ~mask, sentinels, end) for row, mask in pairs]
    return np.stack(inputs), np.stack(labels)


def released_sentinels(text_tokens: int, codebook_size: int, count: int) -> TokenIds:
    """Ids (count,) that the released code takes for sentinels: down from the motion tokens."""
    return text_tokens - (codebook_size + 3) - 1 - np.arange(count, dtype=np.int64)


class SpanCorruption:
    """Makes an example of any text by corrupting it; each text alone, so never its padding."""

    def __init__(
        self,
        text_tokenizer: Any,
        most_tokens: int = 256,
        share: float = CORRUPTED_SHARE,
        mean_span_length: float = MEAN_SPAN_LENGTH,
    ) -> None:
        """Use the tokens `<extra_id_0>`, `<extra_id_1>`, ... of a text tokenizer as sentinels.

        Args:
            text_tokenizer: of transformers, with sentinels and an end of text.
            most_tokens: longer texts are cut to this many tokens, the end of text included.
            share: of tokens that are corrupted.
            mean_span_length: of corrupted spans, in tokens.

        Raises:
            UserError: the text tokenizer has no sentinels, or `share` is not between 0 and 1.
        """
        if not 0 < share < 1 or mean_span_length < 1:
            raise UserError(
                f"span corruption of {share} of the tokens in spans of {mean_span_length} is "
                "impossible; give a share between 0 and 1 and spans of 1 or more"
            )
        self.text_tokenizer = text_tokenizer
        self.most_tokens, self.share, self.mean_span_length = most_tokens, share, mean_span_length
        self.sentinels = _sentinels(text_tokenizer.get_vocab())
        if not len(self.sentinels):
            raise UserError(
                "the text tokenizer has no <extra_id_0>, which span corruption needs; take a T5 "
                "backbone or set stage.pretrain.objectives.unsupervised=0"
            )

    def __call__(self, text: str, rng: np.random.Generator) -> TokenExample:
        """Corrupt `text`; of a single token nothing is corrupted."""
        encoded = self.text_tokenizer(text, add_special_tokens=False, verbose=False)
        ids = np.array(encoded["input_ids"][: self.most_tokens - 1], np.int64)
        mask = span_mask(
            len(ids), rng.shuffle, self.share, self.mean_span_length, len(self.sentinels)
        )
        end = self.text_tokenizer.eos_token_id
        return TokenExample(
            tuple(without_spans(ids, mask, self.sentinels, end).tolist()),
            tuple(only_spans(ids, mask, self.sentinels, end).tolist()),
        )


def _sentinels(vocabulary: dict[str, int]) -> TokenIds:
    found: list[int] = []
    while (token := f"<extra_id_{len(found)}>") in vocabulary:
        found.append(vocabulary[token])
    return np.array(found, np.int64)


def _cut(items: int, pieces: int, shuffle: Callable[[Mask], None]) -> NDArray[np.int64]:
    """Lengths (pieces,) of `items` things cut into non-empty pieces at random positions."""
    cuts = np.arange(items - 1) < pieces - 1
    shuffle(cuts)
    return np.diff(np.flatnonzero(np.concatenate([[True], cuts, [True]])))
