"""Rows of ids as the networks are trained on them, and their losses.

Shapes: B batch, L ids of a row, V vocabulary.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from motiongpt.errors import UserError
from motiongpt.methods.tm2t.generating import Marks


class Tokens(NamedTuple):
    """What logits of a batch are worth.

    Attributes:
        losses: scalar, nats: the sum over all ids that count.
        hits: scalar int64, ids that were the likeliest.
        counted: scalar int64.
    """

    losses: Tensor
    hits: Tensor
    counted: Tensor


def motion_marks(codebook_size: int) -> Marks:
    """Start, end and padding behind the codes."""
    return Marks(codebook_size, codebook_size + 1, codebook_size + 2)


def word_row(words: Sequence[int], most: int, marks: Marks) -> list[int]:
    """Start, at most `most` words, end."""
    return [marks.start, *words[:most], marks.end]


def code_row(codes: Sequence[int], marks: Marks, without: str = "") -> list[int]:
    """Start, codes, end; without the "first" or the "last" code, unless it is alone."""
    if len(codes) > 1 and without:
        codes = codes[1:] if without == "first" else codes[:-1]
    return [marks.start, *codes, marks.end]


def padded(rows: Sequence[Sequence[int]], pad: int) -> Tensor:
    """(B, L) int64, L the longest row."""
    longest = max(map(len, rows))
    return torch.tensor([[*row, *[pad] * (longest - len(row))] for row in rows])


def token_losses(logits: Tensor, targets: Tensor, pad: int, smoothing: float = 0.0) -> Tokens:
    """Cross entropy of logits (B, L, V) and targets (B, L), padding left out.

    Args:
        smoothing: share of a label's probability that is spread over all other ids.
    """
    counted = targets != pad
    shares = logits.float().log_softmax(-1)
    of_labels = shares.gather(-1, targets[..., None])[..., 0]
    losses = -of_labels
    if smoothing:
        others = (shares.sum(-1) - of_labels) / (shares.shape[-1] - 1)
        losses = -(1 - smoothing) * of_labels - smoothing * others
    hits = (logits.argmax(-1) == targets) & counted
    return Tokens((losses * counted).sum(), hits.sum(), counted.sum())


def check_shares(stage: str, **shares: float) -> None:
    """Refuse shares that are none.

    Raises:
        UserError: names the option.
    """
    for option, value in shares.items():
        if not 0 <= value <= 1:
            raise UserError(f"stage.{stage}.{option}={value} must lie between 0 and 1")


class Forcing:
    """How often a batch reads its own codes: falls evenly from `first` to `last`, then stays.

    Args:
        first, last: shares.
        steps: until `last` is reached.
    """

    def __init__(self, first: float, last: float, steps: float) -> None:
        self.first, self.last, self.steps = first, last, steps

    def at(self, step: float) -> float:
        """The share at one step."""
        return self.first + (self.last - self.first) * min(1.0, step / self.steps)
