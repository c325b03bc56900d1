"""What TMR reads of captions: features of their tokens, and one vector that tells look-alikes.

Shape letters: B captions, L tokens, W width of a token's features, E width of a sentence's.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor

from motiongpt.text_encoders.base import TextEncoder


class ReadCaptions(NamedTuple):
    """B captions: features (B, L, W) of their tokens, how many of each count (B,), and features
    (B, E) of length 1 of the whole."""

    tokens: Tensor
    lengths: Tensor
    whole: Tensor


class CaptionReader:
    """Frozen text encoders, as TMR has two: one read token by token, one for whole sentences.

    Args:
        encoder: whose token features the text encoder of TMR reads; DistilBERT in TMR.
        sentences: whose pooled features tell look-alikes; MPNet in TMR. None takes the first one.
    """

    def __init__(self, encoder: TextEncoder, sentences: TextEncoder | None = None) -> None:
        self.encoder, self.sentences = encoder, sentences

    def read(self, captions: Sequence[str]) -> ReadCaptions:
        """Features of captions, on the encoder's device."""
        tokens, mask = self.encoder.encode_tokens(captions)
        if self.sentences is None:
            whole = self.encoder.pool(tokens, mask)
        else:
            whole = self.sentences.encode(captions)
        return ReadCaptions(tokens, mask.sum(1), F.normalize(whole, dim=-1))


def first_words(caption: str, most: int) -> str:
    """The first `most` words of a caption."""
    return " ".join(caption.split()[:most])


TEXT_ENCODER = "text_encoder"
"""Folder of the text encoder within an evaluator's; that of whole sentences trains only."""


def text_encoder_folder(folder: Path) -> Path:
    """Where an evaluator's folder keeps what reads captions."""
    return folder / TEXT_ENCODER
