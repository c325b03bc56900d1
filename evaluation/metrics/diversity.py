"""Diversity: mean distance of random pairs of motions. Source: Guo et al. (2022), 300 pairs.

Pairs are drawn with numpy's legacy generator, as the T2M evaluation does, so that a seed gives its
pairs: two draws without replacement, compared one by one.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from evaluation.metrics.base import MOTIONS, Kind
from evaluation.metrics.embeddings import EmbeddingMetric
from evaluation.metrics.numbers import Number, Size
from motiongpt.errors import UserError

PAIRS = 300


class Diversity(EmbeddingMetric):
    """Should be near that of real motion.

    Args:
        pairs: how many are drawn.
        seed: of the draw.
    """

    numbers: Mapping[str, Number] = {"diversity": Number(better="real")}
    kinds: frozenset[Kind] = MOTIONS
    compares_sets = True

    def __init__(self, pairs: int = PAIRS, seed: int = 0) -> None:
        super().__init__("motion")
        self.pairs, self.seed = pairs, seed

    def shortage(self, size: Size) -> str:
        """See `Metric.shortage`."""
        return _too_few(size.clips, self.pairs)

    def compute(self) -> dict[str, Tensor]:
        """One number over all clips.

        Raises:
            UserError: not finite, or fewer clips than pairs.
        """
        random = np.random.RandomState(self.seed)
        return {"diversity": diversity(self.gathered_set("motion"), self.pairs, random)}


def diversity(embeddings: Tensor, pairs: int, random: np.random.RandomState) -> Tensor:
    """Mean distance of `pairs` random pairs of (N, D), a float64 scalar.

    Raises:
        UserError: fewer clips than pairs.
    """
    if short := _too_few(len(embeddings), pairs):
        raise UserError(short)
    first, second = draw_pairs(len(embeddings), pairs, random)
    embeddings = embeddings.double()
    return (embeddings[first] - embeddings[second]).norm(dim=-1).mean()


def _too_few(clips: int, pairs: int) -> str:
    if clips >= pairs:
        return ""
    return (
        f"Diversity over {pairs} pairs needs at least {pairs} clips, there are {clips}; evaluate "
        f"more clips or set fewer pairs, as protocol.scoring.diversity_pairs={clips}"
    )


def draw_pairs(count: int, pairs: int, random: np.random.RandomState) -> tuple[Tensor, Tensor]:
    """Numbers below `count` of both halves of the pairs, (pairs,) int64 each.

    Within a half no number comes twice; a clip may meet itself.
    """
    first, second = (torch.from_numpy(random.choice(count, pairs, replace=False)) for _ in range(2))
    return first, second
