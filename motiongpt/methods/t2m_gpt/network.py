"""The transformer of T2M-GPT (arXiv:2301.06052, section 3.2): text features in, codes out.

Shape letters: B batch, T codes, L = T + 1 positions (the text first), N block size, C width,
X numbers of a text's features, V codes of the codebook.
"""

from typing import Any

import torch
from torch import Tensor, nn

from motiongpt.errors import UserError
from motiongpt.methods.t2m_gpt.blocks import Block, KeysAndValues, sinusoids

INITIAL_STD = 0.02
"""Of the weights before training, as GPT-2's (Radford et al. 2019); biases are zero."""


class CodeTransformer(nn.Module):
    """p(next code | text, codes so far); the vocabulary is the V codes and the stop.

    The logits at position p predict code p: those at the text's position predict the first code.
    Two halves of equally many blocks follow each other, called base and head in the paper's code.

    Args:
        codebook_size: V.
        text_width: X.
        block_size: N positions at most, the text's included: N - 1 codes.
        width: C.
        blocks: of each half; the network has twice as many.
        heads: of each block's attention.
        expansion: width of a block's feed-forward part over C.
        dropout: in the blocks; the embeddings have none.

    Attributes:
        stop: id of the stop, V.
        pad: id that fills rows up, V + 1; read, never predicted.
        max_codes: N - 1.

    Raises:
        UserError: a width that the heads can't share or that is odd.
    """

    positions: Tensor

    def __init__(
        self,
        codebook_size: int,
        text_width: int,
        block_size: int = 51,
        width: int = 1024,
        blocks: int = 9,
        heads: int = 16,
        expansion: int = 4,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if width % heads or width % 2:
            raise UserError(
                f"transformer.width={width} must be even and divisible by transformer.heads={heads}"
            )
        if block_size < 2:
            raise UserError(
                f"transformer.block_size={block_size} has no room for the text and a code"
            )
        self.codebook_size, self.text_width, self.block_size = codebook_size, text_width, block_size
        self.heads, self.expansion, self.dropout = heads, expansion, dropout
        self.stop, self.pad, self.max_codes = codebook_size, codebook_size + 1, block_size - 1
        self.token_embedding = nn.Embedding(codebook_size + 2, width)
        self.text_projection = nn.Linear(text_width, width)
        self.register_buffer("positions", sinusoids(block_size, width), persistent=False)
        settings = (width, heads, expansion, dropout)
        self.base = nn.ModuleList(Block(*settings) for _ in range(blocks))
        self.head = nn.ModuleList(Block(*settings) for _ in range(blocks))
        self.output_norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, codebook_size + 1, bias=False)
        self.apply(_initialise)

    @property
    def blocks(self) -> list[nn.Module]:
        """Of both halves, in order."""
        return [*self.base, *self.head]

    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments, fit for JSON."""
        width = self.output.in_features
        return {
            "codebook_size": self.codebook_size,
            "text_width": self.text_width,
            "block_size": self.block_size,
            "width": width,
            "blocks": len(self.base),
            "heads": self.heads,
            "expansion": self.expansion,
            "dropout": self.dropout,
        }

    def forward(self, text: Tensor, codes: Tensor) -> Tensor:
        """Logits (B, T + 1, V + 1) float32 of the codes' successors.

        Args:
            text: (B, X) features of the texts.
            codes: (B, T) int64 ids of codes, stop or pad; T may be 0.

        Raises:
            UserError: more codes than there is room for.
        """
        if codes.shape[1] > self.max_codes:
            raise UserError(
                f"{codes.shape[1]} codes, more than transformer.block_size={self.block_size} "
                f"positions hold: at most {self.max_codes}"
            )
        x = self.embed(text, codes)
        for block in self.blocks:
            x = block(x)
        return self.logits(x)

    def embed(self, text: Tensor, codes: Tensor) -> Tensor:
        """(B, T + 1, C): the projected text and the codes, each with its position."""
        x = torch.cat((self.text_projection(text)[:, None], self.token_embedding(codes)), dim=1)
        return x + self.positions[: x.shape[1]]

    def logits(self, x: Tensor) -> Tensor:
        """(B, L, V + 1) float32 of the last block's output (B, L, C)."""
        found: Tensor = self.output(self.output_norm(x))
        return found.float()

    def start(self, text: Tensor) -> "CodesSoFar":
        """The state before the first code, to generate code by code."""
        return CodesSoFar(self, text)


class CodesSoFar:
    """Rows of codes that grow by one code at a time; earlier positions are not computed again.

    Attributes:
        logits: (B, V + 1) of the next code; equal to what `CodeTransformer.forward` gives at the
            last position, up to rounding.
    """

    logits: Tensor

    def __init__(self, network: CodeTransformer, text: Tensor) -> None:
        self.network = network
        self.length = 0
        self._kept = [KeysAndValues(network.block_size) for _ in network.blocks]
        self._read(network.text_projection(text))

    def append(self, codes: Tensor) -> None:
        """Add one id (B,) to each row."""
        self._read(self.network.token_embedding(codes))

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows of the batch only."""
        self.logits = self.logits[rows]
        for kept in self._kept:
            kept.keep(rows)

    def _read(self, embedded: Tensor) -> None:
        x = (embedded + self.network.positions[self.length])[:, None]
        for block, kept in zip(self.network.blocks, self._kept, strict=True):
            x = block(x, kept)
        self.logits = self.network.logits(x)[:, 0]
        self.length += 1


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.Embedding):
        nn.init.normal_(module.weight, std=INITIAL_STD)
    if isinstance(module, nn.Linear) and module.bias is not None:
        nn.init.zeros_(module.bias)
