"""What MoMask's two transformers share (Guo et al., CVPR 2024, arXiv:2312.00063, figure 2).

Shapes: B batch, N tokens of motion, W width, X numbers of a text's features.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongpt.codecs.actor.positions import sinusoids
from motiongpt.codecs.mld_vae.skip_transformer import check_heads
from motiongpt.errors import UserError

INITIAL_STD = 0.02
"""Of linear layers and embeddings before training, as released; biases are zero."""
HEAD_NORM_EPSILON = 1e-12
OVERHANG = 2
"""Tokens beyond the longest motion: parts that are given at its ends need not be whole tokens."""


class TokenTransformer(nn.Module):
    """A transformer encoder over some tokens of condition and the tokens of motion.

    Post-norm blocks with the exact GELU and no norm at the end. Only motion has positions; nobody
    looks at padding.

    Args:
        text_width: X.
        code_width: numbers of a motion token as it goes in.
        output_width: numbers of a motion token as it comes out.
        width: W.
        feed_forward: width within a block's two linear layers.
        layers, heads: of the transformer; the heads share the width.
        dropout: share of activations that training hides.
        max_tokens: of the longest motion; N is at most `OVERHANG` more.

    Raises:
        UserError: a width that is odd or that the heads can't share, or no room for a token.
    """

    positions: Tensor

    def __init__(
        self,
        text_width: int,
        code_width: int,
        output_width: int,
        width: int,
        feed_forward: int,
        layers: int,
        heads: int,
        dropout: float,
        max_tokens: int,
    ) -> None:
        super().__init__()
        check_heads(width, heads, "gelu")
        if width % 2 or max_tokens < 1:
            raise UserError(
                f"width={width} must be even, half sines and half cosines; max_tokens={max_tokens} "
                "must be 1 or more"
            )
        self.text_width, self.max_tokens = text_width, max_tokens
        self._sizes = {
            "width": width,
            "feed_forward": feed_forward,
            "layers": layers,
            "heads": heads,
            "dropout": dropout,
            "max_tokens": max_tokens,
        }
        self.token_projection = nn.Linear(code_width, width)
        self.text_projection = nn.Linear(text_width, width)
        self.register_buffer("positions", sinusoids(max_tokens + OVERHANG, width), persistent=False)
        self.position_dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, heads, feed_forward, dropout, "gelu", batch_first=True
            )
            for _ in range(layers)
        )
        self.head = nn.Linear(width, width)
        self.head_norm = nn.LayerNorm(width, eps=HEAD_NORM_EPSILON)
        self.output = nn.Linear(width, output_width)

    def run(self, conditions: Tensor, tokens: Tensor, padding: Tensor) -> Tensor:
        """(B, N, output width) of motion tokens (B, N, code width).

        Args:
            conditions: (B, C, W) in front.
            padding: (B, N) bool, True where a token is none.

        Raises:
            UserError: more tokens than there is room for.
        """
        count = tokens.shape[1]
        if count > self.max_tokens + OVERHANG:
            raise UserError(f"{count} tokens of motion; this transformer takes {self.max_tokens}")
        x = self.position_dropout(self.token_projection(tokens) + self.positions[:count])
        x = torch.cat((conditions, x), 1)
        seen = padding.new_zeros(padding.shape[0], conditions.shape[1])
        hidden = torch.cat((seen, padding), 1)
        for block in self.blocks:
            x = block(x, src_key_padding_mask=hidden)
        x = self.head_norm(F.gelu(self.head(x[:, conditions.shape[1] :])))
        found: Tensor = self.output(x)
        return found

    def sizes(self) -> dict[str, Any]:
        """The arguments that both transformers have."""
        return {"text_width": self.text_width, **self._sizes}


def initialise(module: nn.Module) -> None:
    """Weights before training; for `nn.Module.apply`."""
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=INITIAL_STD)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
