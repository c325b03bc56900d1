"""What TMR reads of captions: features of their tokens, and one vector that tells look-alikes.

Shape letters: B captions, L tokens, W width of a token's features, E width of a sentence's.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from motiongpt.text_encoders.base import TextEncoder

MOST_REMEMBERED = 20_000
"""Captions of which features are kept; a gigabyte of DistilBERT's, 0.1 of the small encoder's."""


class ReadCaptions(NamedTuple):
    """B captions: features (B, L, W) of their tokens, how many of each count (B,), and features
    (B, E) of length 1 of the whole."""

    tokens: Tensor
    lengths: Tensor
    whole: Tensor


class CaptionReader:
    """Frozen text encoders, as TMR has two: one read token by token, one for whole sentences.

    A caption that was read is remembered: in a training it comes up many times.

    Args:
        encoder: whose token features the text encoder of TMR reads; DistilBERT in TMR.
        sentences: whose pooled features tell look-alikes; MPNet in TMR. None takes the first one.
    """

    def __init__(self, encoder: TextEncoder, sentences: TextEncoder | None = None) -> None:
        self.encoder, self.sentences = encoder, sentences
        self._known: dict[str, tuple[Tensor, Tensor]] = {}

    def read(self, captions: Sequence[str]) -> ReadCaptions:
        """Features of captions, on the encoder's device."""
        fresh = [text for text in dict.fromkeys(captions) if text not in self._known]
        found = {text: self._known[text] for text in captions if text in self._known}
        found |= self._encoded(fresh)
        if len(self._known) + len(fresh) <= MOST_REMEMBERED:
            self._known |= {text: found[text] for text in fresh}
        rows = [found[text][0] for text in captions]
        whole = torch.stack([found[text][1] for text in captions])
        lengths = torch.tensor([len(row) for row in rows], device=whole.device)
        return ReadCaptions(pad_sequence(rows, batch_first=True), lengths, whole)

    def _encoded(self, captions: Sequence[str]) -> dict[str, tuple[Tensor, Tensor]]:
        """Caption -> features (L, W) of its tokens and (E,) of length 1 of the whole."""
        if not captions:
            return {}
        tokens, mask = self.encoder.encode_tokens(captions)
        if self.sentences is None:
            whole = self.encoder.pool(tokens, mask)
        else:
            whole = self.sentences.encode(captions)
        return {
            text: (row[there], one)
            for text, row, there, one in zip(
                captions, tokens, mask, F.normalize(whole, dim=-1), strict=True
            )
        }


def first_words(caption: str, most: int) -> str:
    """The first `most` words of a caption."""
    return " ".join(caption.split()[:most])


TEXT_ENCODER = "text_encoder"
"""Folder of the text encoder within an evaluator's; that of whole sentences trains only."""


def text_encoder_folder(folder: Path) -> Path:
    """Where an evaluator's folder keeps what reads captions."""
    return folder / TEXT_ENCODER
