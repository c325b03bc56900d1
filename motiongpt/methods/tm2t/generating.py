"""Generating rows of ids, greedily or drawn, by whatever gives logits of the next.

Shapes: B rows, A ids, L ids of a row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from motiongpt.methods.tm2t.seq2seq import WordsToCodes
from motiongpt.methods.tm2t.translator import Translator


class Source(Protocol):
    """What is translated: gives the logits of the next ids, row by row."""

    @property
    def rows(self) -> int:
        """B."""

    @property
    def device(self) -> torch.device:
        """Of the rows."""

    def next_logits(self, ids: Tensor) -> Tensor:
        """(B, A) after ids (B, L), the start's mark first; called with one more each time."""

    def pick(self, rows: Tensor) -> None:
        """Go on with these rows only, in this order, some perhaps twice."""


class TranslatedSource:
    """A source of a `Translator`.

    Args:
        network: in evaluation mode.
        source, present: as `Translator.encode` takes them.
    """

    def __init__(self, network: Translator, source: Tensor, present: Tensor) -> None:
        self.network, self.present = network, present
        self.encoded = network.encode(source, present)

    @property
    def rows(self) -> int:
        """B."""
        return len(self.encoded)

    @property
    def device(self) -> torch.device:
        """See `Source`."""
        return self.encoded.device

    def next_logits(self, ids: Tensor) -> Tensor:
        """See `Source`."""
        states = self.network.decode(ids, self.encoded, self.present)
        return self.network.logits(states[:, -1])

    def pick(self, rows: Tensor) -> None:
        """See `Source`."""
        self.encoded, self.present = self.encoded[rows], self.present[rows]


class ReadWords:
    """Words of a `WordsToCodes`; it keeps its states, so each call reads the last id alone."""

    def __init__(self, network: WordsToCodes, words: Tensor, lengths: Tensor) -> None:
        self.network, self.reading = network, network.begin(words, lengths)

    @property
    def rows(self) -> int:
        """B."""
        return len(self.reading.keys)

    @property
    def device(self) -> torch.device:
        """See `Source`."""
        return self.reading.keys.device

    def next_logits(self, ids: Tensor) -> Tensor:
        """See `Source`."""
        embedded = self.network.embedding(ids[:, -1])
        logits, self.reading = self.network.step(embedded, self.reading)
        return logits

    def pick(self, rows: Tensor) -> None:
        """See `Source`."""
        old = self.reading
        self.reading = type(old)(
            old.keys[rows], old.values[rows], old.seen[rows], [one[rows] for one in old.hidden]
        )


@dataclass(frozen=True)
class Marks:
    """Ids that are no content: the start, the end and the padding."""

    start: int
    end: int
    pad: int

    @property
    def all(self) -> list[int]:
        """The three."""
        return [self.start, self.end, self.pad]


class Rows(NamedTuple):
    """Rows that were generated.

    Attributes:
        ids: (B, up to L + 1) int64, the start's mark first.
        lengths: (B,) int64 ids of each between start and end.
    """

    ids: Tensor
    lengths: Tensor

    def content(self) -> list[Tensor]:
        """The ids of each row between start and end."""
        pairs = zip(self.ids, self.lengths.tolist(), strict=True)
        return [row[1 : 1 + length] for row, length in pairs]


@torch.no_grad()
def generate_rows(
    source: Source,
    marks: Marks,
    most: int,
    uniforms: Tensor | None = None,
    likeliest: int | None = None,
    exactly: Tensor | None = None,
) -> Rows:
    """At most `most` ids a row; a row ends where the end is the likeliest of all.

    Rows that have ended stay with the others until all have.

    Args:
        uniforms: (B, most) in [0, 1), by which ids are drawn; None takes the likeliest.
        likeliest: how many of the likeliest ids are drawn among; None for all.
        exactly: (B,) int64 how many ids a row must have, at most `most`; 0 lets it end.
    """
    device = source.device
    ids = torch.full((source.rows, 1), marks.start, device=device)
    lengths = torch.full((source.rows,), most, device=device)
    wanted = torch.zeros_like(lengths) if exactly is None else exactly.to(lengths)
    for step in range(most):
        logits = source.next_logits(ids)
        ends = torch.where(wanted > 0, step >= wanted, logits.argmax(-1) == marks.end)
        lengths = torch.where(ends & (lengths == most), step, lengths)
        if bool((lengths < most).all()):
            break
        if uniforms is None:
            chosen = without(logits, marks.all).argmax(-1)
        else:
            weights = draw_weights(logits, marks.all, likeliest)
            chosen = drawn(weights, uniforms[:, step].to(device))
        ids = torch.cat((ids, chosen.masked_fill(ends, marks.end)[:, None]), 1)
    return Rows(ids, lengths)


def without(logits: Tensor, marks: Sequence[int]) -> Tensor:
    """Logits (B, A) that choose no mark."""
    found = logits.clone()
    found[:, list(marks)] = -torch.inf
    return found


def draw_weights(logits: Tensor, marks: Sequence[int], likeliest: int | None) -> Tensor:
    """(B, A) how likely each id is drawn: 0 for marks and all but the likeliest ids.

    Where only marks are among the likeliest, the likeliest other id is drawn.
    """
    shares = logits.softmax(-1)
    if likeliest is not None and likeliest < logits.shape[1]:
        among = logits.topk(likeliest, -1).indices
        kept = logits.scatter(1, among, torch.inf).isinf()
        shares = logits.masked_fill(~kept, -torch.inf).softmax(-1)
    shares[:, list(marks)] = 0
    nothing = shares.sum(-1, keepdim=True) == 0
    other = F.one_hot(without(logits, marks).argmax(-1), logits.shape[1]).to(shares)
    return torch.where(nothing, other, shares)


def drawn(weights: Tensor, uniforms: Tensor) -> Tensor:
    """Ids (B,): how many cumulative sums of weights (B, A), made 1 in all, are <= uniforms (B,)."""
    reached = weights.double().cumsum(1)
    count = (reached / reached[:, -1:] <= uniforms.double()[:, None]).sum(1)
    numbers = torch.arange(weights.shape[1], device=weights.device)
    return count.minimum(numbers.where(weights > 0, 0).amax(1))
