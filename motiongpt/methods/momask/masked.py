"""MoMask's masked transformer (arXiv:2312.00063, section 3.2): the first codebook's codes.

Shapes: B batch, N tokens, V codes, X numbers of a text's features.
"""

from typing import Any

from torch import Tensor, nn

from motiongpt.methods.momask.blocks import TokenTransformer, initialise


class MaskedTransformer(TokenTransformer):
    """p(codes that are masked | codes that are not, text).

    Args:
        codebook_size: V.
        text_width: X.
        code_dim: numbers of an embedded code.
        width, feed_forward, layers, heads, dropout, max_tokens: see `TokenTransformer`.

    Attributes:
        mask: id that stands for a masked code, V.
        pad: id that fills rows up, V + 1; neither is predicted.
    """

    def __init__(
        self,
        codebook_size: int,
        text_width: int,
        code_dim: int = 512,
        width: int = 384,
        feed_forward: int = 1024,
        layers: int = 8,
        heads: int = 6,
        dropout: float = 0.2,
        max_tokens: int = 49,
    ) -> None:
        sizes = (width, feed_forward, layers, heads, dropout, max_tokens)
        super().__init__(text_width, code_dim, codebook_size, *sizes)
        self.codebook_size, self.code_dim = codebook_size, code_dim
        self.mask, self.pad = codebook_size, codebook_size + 1
        self.token_embedding = nn.Embedding(codebook_size + 2, code_dim)
        self.apply(initialise)

    def forward(self, ids: Tensor, text: Tensor, padding: Tensor) -> Tensor:
        """Logits (B, N, V) float32 of every position, masked or not.

        Args:
            ids: (B, N) int64 codes, `mask` or `pad`.
            text: (B, X) features; zeros are no text.
            padding: (B, N) bool, True at pads.
        """
        condition = self.text_projection(text)[:, None]
        return self.run(condition, self.token_embedding(ids), padding).float()

    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments, fit for JSON."""
        return {"codebook_size": self.codebook_size, "code_dim": self.code_dim, **self.sizes()}
