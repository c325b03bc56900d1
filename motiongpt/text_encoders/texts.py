"""Captions as features: one vector a caption, or one a word.

Shapes: B batch, L words (1 for a whole caption), X numbers of a text's features, U captions.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from motiongpt.data.store import MotionStore
from motiongpt.text_encoders.base import TextEncoder

TRAINED_SPLITS = ("train", "val")
EMBEDDED_AT_A_TIME = 256


class Texts(NamedTuple):
    """Captions as features.

    Attributes:
        features: (B, L, X) float32.
        hidden: (B, L) bool, True where a caption has no word any more.
    """

    features: Tensor
    hidden: Tensor

    def without(self, dropped: Tensor) -> "Texts":
        """The same; no words where `dropped` (B,) bool: their features are zeros."""
        return Texts(self.features * ~dropped[:, None, None], self.hidden)

    def rows(self, indices: Tensor | list[int]) -> "Texts":
        """Those of some captions, in that order."""
        return Texts(self.features[indices], self.hidden[indices])

    def as_of(self, like: Tensor) -> "Texts":
        """The same, on the device and in the type of `like`.

        Not called `to`, by which Lightning would move a batch to a device.
        """
        return Texts(self.features.to(like), self.hidden.to(like.device))


def batch_of(features: Sequence[Tensor]) -> Texts:
    """Texts of features (L, X) of each caption."""
    counts = torch.tensor([len(one) for one in features])
    padded = torch.nn.utils.rnn.pad_sequence(list(features), batch_first=True)
    return Texts(padded, torch.arange(padded.shape[1]) >= counts[:, None])


def read(encoder: TextEncoder, texts: Sequence[str], words: bool) -> Texts:
    """What `encoder` makes of texts, on its device."""
    if words:
        features, mask = encoder.encode_tokens(texts)
        return Texts(features, ~mask)
    features = encoder.encode(texts)[:, None]
    return Texts(features, torch.zeros(features.shape[:2], dtype=torch.bool).to(features.device))


def embedded(encoder: TextEncoder, captions: Sequence[str], words: bool) -> dict[str, Tensor]:
    """Features of captions end to end ("features", (sum of L, X)) and L of each ("counts")."""
    rows: list[Tensor] = []
    for first in range(0, len(captions), EMBEDDED_AT_A_TIME):
        found = read(encoder, captions[first : first + EMBEDDED_AT_A_TIME], words)
        rows += [
            row[~hidden].float().cpu()
            for row, hidden in zip(found.features, found.hidden, strict=True)
        ]
    return {
        "features": torch.cat(rows) if rows else torch.zeros(0, encoder.width),
        "counts": torch.tensor([len(row) for row in rows], dtype=torch.int64),
    }


def by_caption(captions: Sequence[str], found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Caption -> its features (L, X), from what `embedded` gave."""
    parts = found["features"].split(found["counts"].tolist())
    return dict(zip(captions, parts, strict=True))


def captions_of(store: MotionStore) -> list[str]:
    """The different captions of train and val, in the store's order."""
    indices = (int(index) for split in TRAINED_SPLITS for index in store.indices(split))
    return list(dict.fromkeys(one.text for index in indices for one in store.captions(index)))
