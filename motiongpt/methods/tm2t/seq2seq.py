"""Words into codes by recurrent networks with attention (arXiv:2207.01696, section 3.3).

Shapes: B batch, L words, X numbers of a word, H hidden of a direction, Q width, A codes and marks.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

SLOPE = 0.2  # of the leaky rectifier


class WordReader(nn.Module):
    """Words, forwards and backwards, by a GRU whose first states are learnt.

    Args:
        text_width: X.
        hidden: H.
        released: the backward states of a row stand in their own order, as released: a column then
            belongs to two words. Otherwise both are of one word.
    """

    def __init__(self, text_width: int, hidden: int, released: bool) -> None:
        super().__init__()
        self.released = released
        self.embedding = nn.Linear(text_width, hidden)
        self.initial = nn.Parameter(torch.randn(2, 1, hidden))
        self.gru = nn.GRU(hidden, hidden, batch_first=True, bidirectional=True)

    def forward(self, words: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
        """States (B, L, 2H), zero behind a row's end, and the last of both directions (B, 2H).

        Args:
            words: (B, L, X).
            lengths: (B,) int64 words of each, 1 or more.
        """
        packed = pack_padded_sequence(
            self.embedding(words), lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        first = self.initial.expand(-1, len(words), -1).contiguous()
        states, last = self.gru(packed, first)
        found, _ = pad_packed_sequence(states, batch_first=True, total_length=words.shape[1])
        if self.released:
            found = self._turned(found, lengths)
        return found, last.transpose(0, 1).flatten(1)

    def _turned(self, states: Tensor, lengths: Tensor) -> Tensor:
        """The backward half of each row in reverse, within the row's length."""
        forward, backward = states.chunk(2, -1)
        at = torch.arange(states.shape[1], device=states.device)
        lengths = lengths.to(at.device)[:, None]
        mirrored = torch.where(at < lengths, lengths - 1 - at, at)
        return torch.cat((forward, backward.gather(1, mirrored[..., None].expand_as(backward))), -1)


class WordsToCodes(nn.Module):
    """p(next code | words, codes so far).

    Args:
        text_width: X of the text encoder's words.
        codes: A, marks included.
        text_hidden: H.
        width: Q.
        layers: recurrent cells above each other.
        released: attention sees the padding behind a row's words too, so that a row depends on
            the longest of its batch, and `WordReader`'s order of the backward states.
    """

    def __init__(
        self,
        text_width: int,
        codes: int,
        text_hidden: int = 512,
        width: int = 1024,
        layers: int = 1,
        released: bool = False,
    ) -> None:
        super().__init__()
        self._arguments = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        self.width, self.released, self.text_width = width, released, text_width
        self.codes = codes
        self.words = WordReader(text_width, text_hidden, released)
        self.start = nn.Linear(2 * text_hidden, layers * width)
        self.embedding = nn.Embedding(codes, width)
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(2 * text_hidden, width, bias=False)
        self.value = nn.Linear(2 * text_hidden, width)
        self.joined = nn.Sequential(nn.Linear(2 * width, width), nn.LayerNorm(width))
        self.cells = nn.ModuleList(nn.GRUCell(width, width) for _ in range(layers))

    def begin(self, words: Tensor, lengths: Tensor) -> "Reading":
        """What all steps of a batch look at: words (B, L, X), so many (B,) in each row."""
        states, last = self.words(words, lengths)
        hidden = list(self.start(last).chunk(len(self.cells), -1))
        at = torch.arange(words.shape[1], device=words.device)
        seen = torch.ones_like(states[..., 0], dtype=torch.bool)
        if not self.released:
            seen = at < lengths.to(at.device)[:, None]
        return Reading(self.key(states), self.value(states), seen, hidden)

    def step(self, embedded: Tensor, reading: "Reading") -> tuple[Tensor, "Reading"]:
        """Logits (B, A) after one more code, embedded (B, Q), and what to go on with."""
        attended, _ = self.attended(reading)
        x = F.leaky_relu(self.joined(torch.cat((attended, embedded), -1)), SLOPE)
        hidden = []
        for cell, before in zip(self.cells, reading.hidden, strict=True):
            x = cell(x, before)
            hidden.append(x)
        return x @ self.embedding.weight.T, reading.after(hidden)

    def attended(self, reading: "Reading") -> tuple[Tensor, Tensor]:
        """What the top state looks at in the words (B, Q), and how much of each (B, L)."""
        query = self.query(reading.hidden[-1])
        scores = (reading.keys @ query[..., None])[..., 0] / self.width**0.5
        weights = scores.masked_fill(~reading.seen, -torch.inf).softmax(-1)
        return (weights[..., None] * reading.values).sum(1), weights

    def forward(self, words: Tensor, lengths: Tensor, codes: Tensor, forced: bool) -> Tensor:
        """Logits (B, T, A) of what follows each of T codes.

        Args:
            codes: (B, T) int64, the start's mark first.
            forced: reads `codes`; otherwise its own likeliest, after the first of `codes`.
        """
        reading, found = self.begin(words, lengths), []
        ids = codes[:, 0]
        for column in range(codes.shape[1]):
            logits, reading = self.step(self.embedding(ids), reading)
            found.append(logits)
            if column + 1 < codes.shape[1]:
                ids = codes[:, column + 1] if forced else logits.argmax(-1)
        return torch.stack(found, 1)

    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments, fit for JSON."""
        return dict(self._arguments)


class Reading:
    """Keys and values of the words (B, L, Q), which are seen (B, L), and the cells' states."""

    def __init__(self, keys: Tensor, values: Tensor, seen: Tensor, hidden: list[Tensor]) -> None:
        self.keys, self.values, self.seen, self.hidden = keys, values, seen, hidden

    def after(self, hidden: list[Tensor]) -> "Reading":
        """The same words after one more step."""
        return Reading(self.keys, self.values, self.seen, hidden)
