"""R-precision and matching distance (MM-Dist) of embedded pairs, such as texts and motions.

Source: Guo et al. (2022): in pools of 32 pairs, how often is the match of a query among the 1, 2
or 3 nearest candidates, and how far is it. Chance is k / 32.
"""

import torch
from torch import Tensor

from evaluation.metrics.embeddings import Distances, EmbeddingMetric, euclidean_distances
from motiongpt.errors import UserError

POOL = 32
TOP = 3


class Retrieval(EmbeddingMetric):
    """Returns from `compute`: {"r_top1", "r_top2", "r_top3", "mm_dist"}.

    Args:
        pool: clips that compete; pairs beyond the last whole pool are left out.
        top: up to which rank a match counts.
        seed: of the order in which clips fill the pools (`torch.randperm`); None keeps theirs.
        distances: (P, P) of queries as rows to candidates as columns, a function of `embeddings`.
    """

    def __init__(
        self,
        pool: int = POOL,
        top: int = TOP,
        seed: int | None = 0,
        distances: Distances = euclidean_distances,
    ) -> None:
        super().__init__()
        self.pool, self.top, self.seed, self.distances = pool, top, seed, distances
        self.add_set("queries")
        self.add_set("candidates")

    def update(self, queries: Tensor, candidates: Tensor, places: Tensor | None = None) -> None:
        """Add pairs of embeddings, (N, D) each; places: see the base class.

        For text to motion, texts ask and motions are candidates.
        """
        if queries.shape != candidates.shape:
            raise UserError(
                f"Retrieval got queries {tuple(queries.shape)} and candidates "
                f"{tuple(candidates.shape)}; each query needs its match, of the same width"
            )
        self.extend_set("queries", queries, places)
        self.extend_set("candidates", candidates, places)

    def compute(self) -> dict[str, Tensor]:
        """Means over all queries in pools.

        Raises:
            UserError: not finite, or fewer clips than a pool.
        """
        queries, candidates = self.gathered_set("queries"), self.gathered_set("candidates")
        if self.seed is not None:
            order = shuffled(len(queries), self.seed)
            queries, candidates = queries[order], candidates[order]
        distances = self.distances(
            split_into_pools(queries, self.pool), split_into_pools(candidates, self.pool)
        )
        hits = hits_within(match_ranks(distances), self.top).double().flatten(0, 1).mean(0)
        matching = distances.diagonal(dim1=-2, dim2=-1).double().mean()
        return {**{f"r_top{k + 1}": hits[k] for k in range(self.top)}, "mm_dist": matching}


def shuffled(count: int, seed: int) -> Tensor:
    """A random order of `count` clips, (count,) int64."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))


def split_into_pools(embeddings: Tensor, pool: int) -> Tensor:
    """(N, D) as (N // pool, pool, D) without the clips that fill no pool.

    Raises:
        UserError: fewer clips than a pool.
    """
    if len(embeddings) < pool:
        raise UserError(
            f"R-precision needs at least {pool} clips, there are {len(embeddings)}; "
            "evaluate more clips or choose a smaller pool"
        )
    return embeddings[: len(embeddings) // pool * pool].unflatten(0, (-1, pool))


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
