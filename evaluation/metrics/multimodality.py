"""MultiModality: mean distance of motions generated from one text. Source: Guo et al. (2022).

100 texts with 30 motions each and 10 pairs of these; all texts use the same pairs, as there.
"""

import numpy as np
from torch import Tensor

from evaluation.metrics.diversity import draw_pairs
from evaluation.metrics.embeddings import EmbeddingMetric
from motiongpt.errors import UserError

PAIRS = 10


class MultiModality(EmbeddingMetric):
    """Returns from `compute`: {"multimodality"}.

    Args:
        pairs: how many are drawn among the motions of a text.
        seed: of the draw, with numpy's legacy generator.
    """

    higher_is_better = True

    def __init__(self, pairs: int = PAIRS, seed: int = 0) -> None:
        super().__init__()
        self.pairs, self.seed = pairs, seed
        self.add_set("embeddings")

    def update(self, embeddings: Tensor, places: Tensor | None = None) -> None:
        """Add embeddings (N texts, motions of each, D); places are those of the texts."""
        if embeddings.ndim != 3:
            raise UserError(
                f"MultiModality got embeddings {tuple(embeddings.shape)}; give (texts, motions of "
                "each, width)"
            )
        self.extend_set("embeddings", embeddings, places)

    def compute(self) -> dict[str, Tensor]:
        """One number over all texts.

        Raises:
            UserError: not finite, or fewer motions a text than pairs.
        """
        random = np.random.RandomState(self.seed)
        return {"multimodality": multimodality(self.gathered_set("embeddings"), self.pairs, random)}


def multimodality(embeddings: Tensor, pairs: int, random: np.random.RandomState) -> Tensor:
    """Mean distance of `pairs` random pairs among each text's motions, a float64 scalar.

    Args:
        embeddings: (texts, motions of each, D).

    Raises:
        UserError: fewer motions a text than pairs.
    """
    motions = embeddings.shape[1]
    if motions < pairs:
        raise UserError(
            f"MultiModality over {pairs} pairs needs at least {pairs} motions of each text, there "
            f"are {motions}; generate more or set fewer pairs"
        )
    first, second = draw_pairs(motions, pairs, random)
    embeddings = embeddings.double()
    return (embeddings[:, first] - embeddings[:, second]).norm(dim=-1).mean()
