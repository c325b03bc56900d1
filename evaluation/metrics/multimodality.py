"""MultiModality: mean distance of motions generated from one text. Source: Guo et al. (2022).

100 texts with 30 motions each and 10 pairs of these; all texts use the same pairs, as there.
"""

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from evaluation.metrics.base import Batch, Kind
from evaluation.metrics.diversity import draw_pairs
from evaluation.metrics.embeddings import EmbeddingMetric
from evaluation.metrics.numbers import Number, Size
from motiongpt.errors import UserError

PAIRS = 10


class MultiModality(EmbeddingMetric):
    """How much the motions of one text differ.

    Args:
        pairs: how many are drawn among the motions of a text.
        seed: of the draw, with numpy's legacy generator.
    """

    numbers: Mapping[str, Number] = {"multimodality": Number(better="higher")}
    kinds: frozenset[Kind] = frozenset({"samples"})

    def __init__(self, pairs: int = PAIRS, seed: int = 0) -> None:
        super().__init__("samples")
        self.pairs, self.seed = pairs, seed

    def shortage(self, size: Size) -> str:
        """See `Metric.shortage`."""
        return _too_few(size.samples, self.pairs)

    def update(self, batch: Batch) -> None:
        """Take in embeddings (N texts, motions of each, D); positions are those of the texts.

        Raises:
            UserError: none, or another shape.
        """
        samples = batch.embeddings.get("samples")
        if samples is not None and samples.ndim != 3:
            raise UserError(
                f"MultiModality got embeddings {tuple(samples.shape)}; give (texts, motions of "
                "each, width)"
            )
        super().update(batch)

    def compute(self) -> dict[str, Tensor]:
        """One number over all texts.

        Raises:
            UserError: not finite, or fewer motions a text than pairs.
        """
        random = np.random.RandomState(self.seed)
        return {"multimodality": multimodality(self.gathered_set("samples"), self.pairs, random)}


def multimodality(embeddings: Tensor, pairs: int, random: np.random.RandomState) -> Tensor:
    """Mean distance of `pairs` random pairs among each text's motions, a float64 scalar.

    Args:
        embeddings: (texts, motions of each, D).

    Raises:
        UserError: fewer motions a text than pairs.
    """
    motions = embeddings.shape[1]
    if short := _too_few(motions, pairs):
        raise UserError(short)
    first, second = draw_pairs(motions, pairs, random)
    embeddings = embeddings.double()
    return (embeddings[:, first] - embeddings[:, second]).norm(dim=-1).mean()


def _too_few(motions: int, pairs: int) -> str:
    if motions >= pairs:
        return ""
    return (
        f"MultiModality over {pairs} pairs needs at least {pairs} motions of each text, there are "
        f"{motions}; generate more, by protocol.requests.multimodality.samples={pairs}, or set "
        f"fewer pairs, as protocol.scoring.multimodality_pairs={motions}"
    )
