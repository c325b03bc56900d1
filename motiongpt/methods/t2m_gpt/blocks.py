"""Blocks of a causal transformer, and what they keep of earlier positions.

Shape letters: B batch, L positions, C width, H heads.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class KeysAndValues:
    """Keys and values of one block for all positions so far; room for `room` of them."""

    def __init__(self, room: int) -> None:
        self.room, self.length = room, 0
        self._kept: Tensor | None = None

    def extended(self, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Those of all positions, (B, H, L, C / H) each, after the next ones were added."""
        if self._kept is None:
            batch, heads, _, size = keys.shape
            self._kept = keys.new_empty(2, batch, heads, self.room, size)
        first, self.length = self.length, self.length + keys.shape[2]
        self._kept[0, :, :, first : self.length] = keys
        self._kept[1, :, :, first : self.length] = values
        found = self._kept[:, :, :, : self.length]
        return found[0], found[1]

    def keep(self, rows: Tensor) -> None:
        """Forget all rows of the batch but these."""
        if self._kept is not None:
            self._kept = self._kept[:, rows]


class CausalAttention(nn.Module):
    """Attention to the same and all earlier positions; scores are scaled by 1 / sqrt(C / H).

    Args:
        width: C, divisible by `heads`.
        dropout: of the attention's weights and of the output.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.query = nn.Linear(width, width)
        self.key = nn.Linear(width, width)
        self.value = nn.Linear(width, width)
        self.output = nn.Linear(width, width)
        self.output_dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, kept: KeysAndValues | None = None) -> Tensor:
        """(B, L, C) to the same shape.

        Args:
            kept: of the earlier positions; then `x` is the next one alone (L = 1).
        """
        query, key, value = (self._heads(part(x)) for part in (self.query, self.key, self.value))
        if kept is not None:
            key, value = kept.extended(key, value)
        found = F.scaled_dot_product_attention(
            query,
            key,
            value,
            dropout_p=self.dropout if self.training else 0.0,
            is_causal=kept is None,
        )
        return self.output_dropout(self.output(found.transpose(1, 2).flatten(2)))

    def _heads(self, x: Tensor) -> Tensor:
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)


class Block(nn.Module):
    """x + attention(norm x), then x + feed-forward(norm x), with the exact GELU.

    Args:
        width: C.
        heads: H.
        expansion: width of the feed-forward's inside over C.
        dropout: of the attention's weights and of both parts' outputs.
    """

    def __init__(self, width: int, heads: int, expansion: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = CausalAttention(width, heads, dropout)
        self.feed_forward_norm = nn.LayerNorm(width)
        self.feed_forward = nn.Sequential(
            nn.Linear(width, expansion * width),
            nn.GELU(),
            nn.Linear(expansion * width, width),
            nn.Dropout(dropout),
        )

    def forward(self, x: Tensor, kept: KeysAndValues | None = None) -> Tensor:
        """(B, L, C) to the same shape; `kept` as in `CausalAttention`."""
        x = x + self.attention(self.attention_norm(x), kept)
        found: Tensor = x + self.feed_forward(self.feed_forward_norm(x))
        return found


def sinusoids(positions: int, width: int) -> Tensor:
    """(positions, width) float32: sin p w_i in column 2i, cos p w_i in 2i + 1.

    w_i = 10000^(-2i / width) (arXiv:1706.03762, section 3.5).
    """
    rates = 10000.0 ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
    angles = torch.arange(positions, dtype=torch.float64)[:, None] * rates
    return torch.stack((angles.sin(), angles.cos()), -1).flatten(1).float()
