"""Blocks of a transformer that translates: post-norm, with the width of its heads apart.

Shapes: B batch, L queries, M keys, Q width, H heads.
"""

import torch.nn.functional as F
from torch import Tensor, nn

EPSILON = 1e-6
WEIGHTS_DROPOUT = 0.1
"""Inside the attention's weights, whatever the dropout of the rest, as released."""


class Attention(nn.Module):
    """norm(x + attention(x, y)), scores scaled by 1 / sqrt(width of a head).

    Args:
        width: Q.
        heads: H.
        head_width: of each head; H of them need not make Q.
        dropout: of the output.
    """

    def __init__(self, width: int, heads: int, head_width: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value = (nn.Linear(width, heads * head_width) for _ in range(3))
        self.output = nn.Linear(heads * head_width, width)
        self.dropout, self.norm = nn.Dropout(dropout), nn.LayerNorm(width, EPSILON)

    def forward(self, x: Tensor, y: Tensor, seen: Tensor) -> Tensor:
        """(B, L, Q) of x (B, L, Q) that looks at y (B, M, Q).

        Args:
            seen: (B, 1 or L, M) bool, what of y may be looked at.
        """
        query, key, value = (
            part(z).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for part, z in ((self.query, x), (self.key, y), (self.value, y))
        )
        found = F.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=seen[:, None],
            dropout_p=WEIGHTS_DROPOUT if self.training else 0.0,
        )
        found = self.output(found.transpose(1, 2).flatten(2))
        normed: Tensor = self.norm(x + self.dropout(found))
        return normed


class FeedForward(nn.Module):
    """norm(x + outer relu inner x), (B, L, Q) to the same."""

    def __init__(self, width: int, inside: int, dropout: float) -> None:
        super().__init__()
        self.inner, self.outer = nn.Linear(width, inside), nn.Linear(inside, width)
        self.dropout, self.norm = nn.Dropout(dropout), nn.LayerNorm(width, EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """(B, L, Q) to the same."""
        found: Tensor = self.norm(x + self.dropout(self.outer(self.inner(x).relu())))
        return found


class EncoderBlock(nn.Module):
    """Attention to the whole source, then a feed-forward."""

    def __init__(
        self, width: int, inside: int, heads: int, head_width: int, dropout: float
    ) -> None:
        super().__init__()
        self.attention = Attention(width, heads, head_width, dropout)
        self.feed_forward = FeedForward(width, inside, dropout)

    def forward(self, x: Tensor, seen: Tensor) -> Tensor:
        """(B, M, Q) to the same; `seen` (B, 1, M)."""
        found: Tensor = self.feed_forward(self.attention(x, x, seen))
        return found


class DecoderBlock(nn.Module):
    """Attention to what was generated so far, then to the source, then a feed-forward."""

    def __init__(
        self, width: int, inside: int, heads: int, head_width: int, dropout: float
    ) -> None:
        super().__init__()
        self.attention = Attention(width, heads, head_width, dropout)
        self.cross = Attention(width, heads, head_width, dropout)
        self.feed_forward = FeedForward(width, inside, dropout)

    def forward(self, x: Tensor, own: Tensor, source: Tensor, seen: Tensor) -> Tensor:
        """(B, L, Q) to the same; `own` (B, L, L) of x, `seen` (B, 1, M) of the source."""
        x = self.attention(x, x, own)
        found: Tensor = self.feed_forward(self.cross(x, source, seen))
        return found
