"""Neural machine translation by a transformer (arXiv:2207.01696, section 3.2; 1706.03762).

Shapes: B batch, M columns of the source, L of the target, Q width, V target vocabulary.
"""

import math
from typing import Any

import torch
from torch import Tensor, nn

from motiongpt.errors import UserError
from motiongpt.methods.tm2t.attention import DecoderBlock, EncoderBlock

SLOWEST = 10_000.0


class Translator(nn.Module):
    """p(next target id | source, target ids so far).

    Args:
        source: ids that a source may have; with `reads_vectors` numbers of each of its vectors.
        target: V.
        width, feed_forward, heads, head_width, dropout: of the blocks.
        encoder_layers, decoder_layers: how many blocks.
        shared_output: whether the table of target ids is the output's too.
        reads_vectors: whether a source is vectors instead of ids.

    Raises:
        UserError: an odd width.
    """

    def __init__(
        self,
        source: int,
        target: int,
        width: int = 512,
        feed_forward: int = 2048,
        encoder_layers: int = 4,
        decoder_layers: int = 4,
        heads: int = 8,
        head_width: int = 64,
        dropout: float = 0.1,
        shared_output: bool = True,
        reads_vectors: bool = False,
    ) -> None:
        super().__init__()
        self._arguments = {k: v for k, v in locals().items() if k not in ("self", "__class__")}
        if width % 2:
            raise UserError(
                f"translator.width={width}: an even number is needed, sines and cosines"
            )
        self.width, self.source, self.target = width, source, target
        self.source_embedding: nn.Module = (
            nn.Linear(source, width, bias=False) if reads_vectors else nn.Embedding(source, width)
        )
        self.target_embedding = nn.Embedding(target, width)
        sizes = (width, feed_forward, heads, head_width, dropout)
        self.encoder = nn.ModuleList(EncoderBlock(*sizes) for _ in range(encoder_layers))
        self.decoder = nn.ModuleList(DecoderBlock(*sizes) for _ in range(decoder_layers))
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(width, target, bias=False)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)
        if shared_output:
            self.output.weight = self.target_embedding.weight

    def forward(self, source: Tensor, present: Tensor, target: Tensor, counted: Tensor) -> Tensor:
        """Logits (B, L, V) of the ids that follow each of `target` (B, L).

        Args:
            source: (B, M) int64 ids, or (B, M, numbers) vectors.
            present: (B, M) bool, False at padding.
            counted: (B, L) bool, False at padding.
        """
        return self.logits(self.decode(target, self.encode(source, present), present, counted))

    def encode(self, source: Tensor, present: Tensor) -> Tensor:
        """(B, M, Q) of a source."""
        return self.encode_embedded(self.source_embedding(source), present)

    def encode_embedded(self, vectors: Tensor, present: Tensor) -> Tensor:
        """(B, M, Q) of a source that was embedded already."""
        x = self._placed(vectors)
        for block in self.encoder:
            x = block(x, present[:, None])
        return x

    def decode(
        self, target: Tensor, source: Tensor, present: Tensor, counted: Tensor | None = None
    ) -> Tensor:
        """States (B, L, Q) at target ids (B, L), of which each sees itself and the earlier ones.

        Args:
            source: (B, M, Q) what `encode` gave.
            counted: (B, L) bool; None where nothing is padding.
        """
        x = self._placed(self.target_embedding(target))
        count = target.shape[1]
        own = torch.ones(count, count, dtype=torch.bool, device=target.device).tril()[None]
        own = own.expand(len(target), -1, -1) if counted is None else own & counted[:, None]
        for block in self.decoder:
            x = block(x, own, source, present[:, None])
        return x

    def logits(self, states: Tensor) -> Tensor:
        """(…, V) of states (…, Q)."""
        found: Tensor = self.output(states)
        return found

    def arguments(self) -> dict[str, Any]:
        """The constructor's arguments, fit for JSON."""
        return dict(self._arguments)

    def _placed(self, vectors: Tensor) -> Tensor:
        positions = sinusoids(vectors.shape[1], self.width).to(vectors)
        placed: Tensor = self.dropout(vectors * self.width**0.5 + positions)
        return placed


def sinusoids(positions: int, width: int) -> Tensor:
    """(positions, width) float32: sin p w_i in column 2i, cos p w_i in 2i + 1."""
    rates = torch.exp(-math.log(SLOWEST) * torch.arange(0, width, 2, dtype=torch.float64) / width)
    angles = torch.arange(positions, dtype=torch.float64)[:, None] * rates
    return torch.stack((angles.sin(), angles.cos()), -1).flatten(1).float()
