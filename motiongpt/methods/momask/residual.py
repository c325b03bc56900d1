"""MoMask's residual transformer (arXiv:2312.00063, section 3.3): codebook after codebook.

Shapes: B batch, N tokens, Q codebooks, V codes of each, D numbers of an embedded code,
X numbers of a text's features. Codebooks are counted from 0; this network predicts 1 … Q - 1.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from motiongpt.errors import UserError
from motiongpt.methods.momask.blocks import INITIAL_STD, TokenTransformer, initialise


class ResidualTransformer(TokenTransformer):
    """p(codes of codebook q | codes of those before it, text), for all tokens at once.

    What goes in is the sum of the embedded codes of all codebooks before q.

    Args:
        codebooks: Q, 2 or more.
        codebook_size: V.
        text_width: X.
        code_dim: D.
        width, feed_forward, layers, heads, dropout, max_tokens: see `TokenTransformer`.
        share_weights: whether the table that predicts a codebook embeds it too, as in the paper's
            best model; else both have tables of their own, and each codebook a bias.
        doubled: whether logits of tables that aren't shared count the product twice, as released.

    Attributes:
        pad: id that fills rows up, V; a class of its own that `logits` have too.

    Raises:
        UserError: fewer than two codebooks, or as `TokenTransformer`.
    """

    def __init__(
        self,
        codebooks: int,
        codebook_size: int,
        text_width: int,
        code_dim: int = 512,
        width: int = 384,
        feed_forward: int = 1024,
        layers: int = 8,
        heads: int = 6,
        dropout: float = 0.2,
        max_tokens: int = 49,
        share_weights: bool = True,
        doubled: bool = False,
    ) -> None:
        if codebooks < 2:
            raise UserError(
                f"residual_tokenizer.codebooks={codebooks}: MoMask's residual transformer predicts "
                "the second codebook and those after it; have 2 or more"
            )
        sizes = (width, feed_forward, layers, heads, dropout, max_tokens)
        super().__init__(text_width, code_dim, code_dim, *sizes)
        self.codebooks, self.codebook_size, self.code_dim = codebooks, codebook_size, code_dim
        self.share_weights, self.doubled = share_weights, doubled
        self.pad = codebook_size
        self.codebook_projection = nn.Linear(codebooks, width)
        self.apply(initialise)
        own = 1 if share_weights else codebooks - 1
        self.embedding_tables = self._table(own)
        self.output_tables = self._table(own)
        self.shared_tables = self._table(codebooks - 2) if share_weights else None
        self.output_bias = None
        if not share_weights:
            self.output_bias = nn.Parameter(torch.zeros(codebooks - 1, codebook_size + 1))

    @property
    def embeddings(self) -> Tensor:
        """(Q - 1, V + 1, D) of codebooks 0 … Q - 2; the last row of each is the pad's."""
        if self.shared_tables is None:
            return self.embedding_tables
        return torch.cat((self.embedding_tables, self.shared_tables))

    @property
    def outputs(self) -> Tensor:
        """(Q - 1, V + 1, D) of codebooks 1 … Q - 1."""
        if self.shared_tables is None:
            return self.output_tables
        return torch.cat((self.shared_tables, self.output_tables))

    def embed(self, ids: Tensor, codebook: int) -> Tensor:
        """(B, N, D) of one codebook's ids (B, N), codes or `pad`."""
        return F.embedding(ids, self.embeddings[codebook])

    def history(self, codes: Tensor, codebook: Tensor) -> Tensor:
        """(B, N, D) of codes (B, N, Q or fewer): the sums over the codebooks before each row's.

        Args:
            codebook: (B,) int64, 1 or more.
        """
        count = min(codes.shape[2], self.codebooks - 1)
        embedded = torch.stack([self.embed(codes[..., q], q) for q in range(count)], 1)
        counted = torch.arange(count, device=codes.device) < codebook[:, None]
        return (embedded * counted[:, :, None, None]).sum(1)

    def forward(self, history: Tensor, codebook: Tensor, text: Tensor, padding: Tensor) -> Tensor:
        """Logits (B, N, V + 1) float32 of each row's codebook.

        Args:
            history: (B, N, D), see `history`.
            codebook: (B,) int64 from 1 to Q - 1.
            text: (B, X) features; zeros are no text.
            padding: (B, N) bool, True at pads.
        """
        return self.logits(self.hidden(history, codebook, text, padding), codebook)

    def hidden(self, history: Tensor, codebook: Tensor, text: Tensor, padding: Tensor) -> Tensor:
        """(B, N, D) that `logits` compares with the codes; arguments as of `forward`."""
        which = F.one_hot(codebook, self.codebooks).to(history.dtype)
        front = (self.text_projection(text), self.codebook_projection(which))
        return self.run(torch.stack(front, 1), history, padding)

    def logits(self, hidden: Tensor, codebook: Tensor) -> Tensor:
        """Logits (B, N, V + 1) float32 of `hidden` (B, N, D)."""
        found = hidden @ self.outputs[codebook - 1].transpose(1, 2)
        if self.output_bias is not None:
            times = 2 if self.doubled else 1
            found = times * found + self.output_bias[codebook - 1][:, None]
        return found.float()

    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments, fit for JSON."""
        return {
            "codebooks": self.codebooks,
            "codebook_size": self.codebook_size,
            "code_dim": self.code_dim,
            "share_weights": self.share_weights,
            "doubled": self.doubled,
            **self.sizes(),
        }

    def _table(self, count: int) -> nn.Parameter:
        shape = (count, self.codebook_size + 1, self.code_dim)
        return nn.Parameter(INITIAL_STD * torch.randn(shape))
