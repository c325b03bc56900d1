"""The transformer with long skips of MLD (arXiv:2212.04048), after U-ViT (arXiv:2209.12152).

Shapes: B batch, L positions, D width.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from motiongpt.errors import UserError


class SkipTransformer(nn.Module):
    """(n - 1) / 2 input blocks, a middle one, as many output blocks, and a norm.

    Each output block reads, besides what comes from the block before it, the output of its mirror
    image among the input blocks: both side by side, made D wide again by a linear layer.

    Args:
        make_block: builds one block; blocks take and give (B, L, D).
        layers: n, an odd number.
        width: D.

    Raises:
        UserError: an even number of layers, or none.
    """

    def __init__(self, make_block: Callable[[], nn.Module], layers: int, width: int) -> None:
        super().__init__()
        if layers < 1 or layers % 2 == 0:
            raise UserError(
                f"layers is {layers}; a transformer with long skips needs an odd number: each "
                "input block has its output block, around one in the middle"
            )
        pairs = layers // 2
        self.input_blocks = nn.ModuleList(make_block() for _ in range(pairs))
        self.middle_block = make_block()
        self.output_blocks = nn.ModuleList(make_block() for _ in range(pairs))
        self.linear_blocks = nn.ModuleList(nn.Linear(2 * width, width) for _ in range(pairs))
        self.norm = nn.LayerNorm(width)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)  # as released

    def forward(self, hidden: Tensor, *others: Tensor, **masks: Any) -> Tensor:
        """(B, L, D) to (B, L, D); every block is also given `others` and `masks`."""
        kept = []
        for block in self.input_blocks:
            hidden = block(hidden, *others, **masks)
            kept.append(hidden)
        hidden = self.middle_block(hidden, *others, **masks)
        for block, linear in zip(self.output_blocks, self.linear_blocks, strict=True):
            hidden = linear(torch.cat((hidden, kept.pop()), dim=-1))
            hidden = block(hidden, *others, **masks)
        normed: Tensor = self.norm(hidden)
        return normed


def skip_encoder(
    layers: int, width: int, heads: int, feed_forward: int, dropout: float, activation: str
) -> SkipTransformer:
    """Blocks of self-attention; post-norm, as in the first transformer.

    `src_key_padding_mask` (B, L) is True at the positions that nobody may look at.

    Args:
        layers, width: as in `SkipTransformer`.
        heads: of attention; they share the width.
        feed_forward: width within a block's two linear layers.
        dropout: share of activations that training hides.
        activation: gelu (the exact one) or relu.

    Raises:
        UserError: the heads can't share the width, an even number of layers, or an unknown
            activation.
    """
    check_heads(width, heads, activation)
    return SkipTransformer(
        lambda: nn.TransformerEncoderLayer(
            width, heads, feed_forward, dropout, activation, batch_first=True
        ),
        layers,
        width,
    )


def skip_decoder(
    layers: int, width: int, heads: int, feed_forward: int, dropout: float, activation: str
) -> SkipTransformer:
    """Blocks of self-attention and attention to a memory (B, N, D), given after the sequence.

    `tgt_key_padding_mask` (B, L) as in `skip_encoder`, whose arguments and errors it has.
    """
    check_heads(width, heads, activation)
    return SkipTransformer(
        lambda: nn.TransformerDecoderLayer(
            width, heads, feed_forward, dropout, activation, batch_first=True
        ),
        layers,
        width,
    )


def check_heads(width: int, heads: int, activation: str) -> None:
    """Refuse what torch's blocks meet with a traceback.

    Raises:
        UserError: the heads can't share the width, or an unknown activation.
    """
    if heads < 1 or width % heads:
        raise UserError(f"width {width} can't be shared by {heads} heads; choose a divisor of it")
    if activation not in ("gelu", "relu"):
        raise UserError(f"activation is {activation!r}; choose gelu or relu")
