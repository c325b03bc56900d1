"""R-precision and matching distance (MM-Dist) of embedded pairs, such as texts and motions.

Source: Guo et al. (2022): in pools of 32 pairs, how often is the match of a query among the 1, 2
or 3 nearest candidates, and how far is it. Chance is k / 32.
"""

from collections.abc import Mapping

import torch
from torch import Tensor

from evaluation.metrics.base import Batch, Embedded
from evaluation.metrics.embeddings import EmbeddingMetric, distances_by_name
from evaluation.metrics.numbers import Number, Size
from motiongpt.errors import UserError

POOL = 32
TOP = 3


class Retrieval(EmbeddingMetric):
    """R-precision top 1 to 3 and MM-Dist.

    Args:
        queries: the embeddings that ask; for text to motion the captions.
        candidates: the embeddings that are ranked.
        distances: "euclidean", "expanded" or "released"; see `embeddings`.
        pool: clips that compete; pairs beyond the last whole pool are left out.
        seed: of the order in which clips fill the pools (`torch.randperm`); None keeps theirs.

    Raises:
        UserError: unknown distances.
    """

    numbers: Mapping[str, Number] = {
        **{f"r_top{rank}": Number(better="higher") for rank in range(1, TOP + 1)},
        "mm_dist": Number(),
    }

    def __init__(
        self,
        queries: Embedded = "caption",
        candidates: Embedded = "motion",
        distances: str = "euclidean",
        pool: int = POOL,
        seed: int | None = 0,
    ) -> None:
        super().__init__(queries, candidates)
        # Sentences are judged where one side of the pairs is what the method generated.
        self.kinds = frozenset({"text" if "sentence" in self.needs else "motion"})
        self.queries, self.candidates, self.pool, self.seed = queries, candidates, pool, seed
        self.distances = distances_by_name(distances)

    def update(self, batch: Batch) -> None:
        """Take in pairs of embeddings, (N, D) each.

        Raises:
            UserError: one side is absent, or they don't match.
        """
        both = [batch.embeddings.get(name) for name in (self.queries, self.candidates)]
        shapes = [tuple(one.shape) for one in both if one is not None]
        if len(shapes) == 2 and shapes[0] != shapes[1]:
            raise self.mistake(
                f"got {self.queries} {shapes[0]} and {self.candidates} {shapes[1]}; each query "
                "needs its match, of the same width"
            )
        super().update(batch)

    def shortage(self, size: Size) -> str:
        """See `Metric.shortage`."""
        return _too_few(size.clips, self.pool)

    def compute(self) -> dict[str, Tensor]:
        """Means over all queries in pools.

        Raises:
            UserError: not finite, or fewer clips than a pool.
        """
        queries, candidates = self.gathered_set(self.queries), self.gathered_set(self.candidates)
        if self.seed is not None:
            order = shuffled(len(queries), self.seed)
            queries, candidates = queries[order], candidates[order]
        distances = self.distances(
            split_into_pools(queries, self.pool), split_into_pools(candidates, self.pool)
        )
        hits = hits_within(match_ranks(distances), TOP).double().flatten(0, 1).mean(0)
        matching = distances.diagonal(dim1=-2, dim2=-1).double().mean()
        return {**{f"r_top{k + 1}": hits[k] for k in range(TOP)}, "mm_dist": matching}


def text_retrieval(
    ask: str = "motions", distances: str = "euclidean", pool: int = POOL
) -> Retrieval:
    """R-precision of sentences about motions.

    Args:
        ask: "motions" (TM2T: which sentence tells of this motion?) or "texts" (MotionGPT's
            released code, C7 of the audit).
        distances, pool: see `Retrieval`.

    Raises:
        UserError: another value of `ask` or of `distances`.
    """
    sides: dict[str, tuple[Embedded, Embedded]] = {
        "motions": ("reference", "sentence"),
        "texts": ("sentence", "reference"),
    }
    if ask not in sides:
        raise UserError(f"text_queries {ask}: choose one of {', '.join(sides)}")
    return Retrieval(*sides[ask], distances=distances, pool=pool)


def shuffled(count: int, seed: int) -> Tensor:
    """A random order of `count` clips, (count,) int64."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))


def split_into_pools(embeddings: Tensor, pool: int) -> Tensor:
    """(N, D) as (N // pool, pool, D) without the clips that fill no pool.

    Raises:
        UserError: fewer clips than a pool.
    """
    if short := _too_few(len(embeddings), pool):
        raise UserError(short)
    return embeddings[: len(embeddings) // pool * pool].unflatten(0, (-1, pool))


def _too_few(clips: int, pool: int) -> str:
    if clips >= pool:
        return ""
    return (
        f"R-precision in pools of {pool} needs at least {pool} clips, there are {clips}; evaluate "
        f"more clips or choose a smaller pool, as protocol.scoring.pool={clips}"
    )


def match_ranks(distances: Tensor) -> Tensor:
    """Rank (..., P) int64 of each row's match, the column of its own number; 0 is nearest.

    Equal distances keep the order of the columns, so that equal embeddings score as chance.
    """
    order = distances.argsort(dim=-1, stable=True)
    own = torch.arange(distances.shape[-1])[:, None]
    return (order == own).int().argmax(-1)


def hits_within(ranks: Tensor, top: int) -> Tensor:
    """Whether a match of rank (...) is among the nearest 1, 2 .. top: (..., top) bool."""
    return ranks[..., None] <= torch.arange(top)
