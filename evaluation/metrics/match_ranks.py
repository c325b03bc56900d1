"""Ranks of matches among all candidates, as TMR counts them (Petrovich et al., ICCV 2023).

`metrics.retrieval` is R-precision in pools of 32, where equal distances keep the order of the
columns; here equal distances share their mean rank, and what may count as the match is a set.
Shape letters: N pairs, row i and column i belong together.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

Ways = dict[str, dict[str, float]]
"""Direction ("t2m", "m2t") -> name of a number -> value."""
Ties = Literal["mean", "first"]
TOP = (1, 2, 3, 5, 10)


def alike_texts(sentences: np.ndarray, threshold: float) -> np.ndarray:
    """Which texts mean the same, (N, N) bool, of sentence features (N, E) of length 1.

    Args:
        threshold: of the similarity (cosine + 1) / 2; strictly above it they do.
    """
    return sentences @ sentences.T > 2 * threshold - 1


def match_ranks(
    similarities: np.ndarray, alike: np.ndarray | None = None, ties: Ties = "mean"
) -> np.ndarray:
    """Rank (N,) of each row's match among the columns of similarities (N, N); 0 is nearest.

    Args:
        alike: (N, N) True where a column is as good as the match, each row's own among them: the
            nearest of these counts. None for the own column alone.
        ties: "mean" gives a match the mean rank of all that are as near as it: as released, every
            row's rank is a mean as soon as one row has a tie. "first" gives it the best of them.
    """
    distances = -similarities
    matches = np.diagonal(distances)
    if alike is not None:
        matches = np.where(alike, distances, np.inf).min(1).astype(distances.dtype)
    # The difference and not ==: it is what the released code compares, of the same numbers.
    equal = np.sort(distances, axis=1) - matches[:, None] == 0
    if ties == "first" or equal.sum(1).max(initial=1) == 1:
        return equal.argmax(1)
    return (equal * np.arange(len(equal))).sum(1) / equal.sum(1)


def recall(ranks: np.ndarray) -> dict[str, float]:
    """Share of rows with a rank below k, in per cent, for each k of `TOP`, and the median rank.

    The median counts from 1. Names: "r1", "r2" …, "medr".
    """
    found = {f"r{top}": 100.0 * float((ranks < top).mean()) for top in TOP}
    return {**found, "medr": float(np.median(ranks)) + 1}


def both_ways(similarities: np.ndarray, alike: np.ndarray | None = None) -> Ways:
    """`recall` of texts that ask for motions, "t2m", and of motions that ask for texts, "m2t".

    Args:
        similarities: (N, N), a row a text and a column a motion.
        alike: of texts, both ways.
    """
    return {
        "t2m": recall(match_ranks(similarities, alike)),
        "m2t": recall(match_ranks(similarities.T, alike)),
    }


def shuffled_pools(count: int, size: int, seed: int = 0) -> np.ndarray:
    """Positions (pools, size) of `count` items in random order, those that fill no pool left out.

    The order is that of NumPy's older generator, which the released code draws with, of items
    sorted by name.
    """
    order = np.arange(count)
    np.random.RandomState(seed).shuffle(order)
    return order[: count // size * size].reshape(-1, size)


def pooled(similarities: np.ndarray, pools: Sequence[np.ndarray] | np.ndarray) -> Ways:
    """Means of `both_ways` over pools, each of positions (P,)."""
    found = [both_ways(similarities[np.ix_(pool, pool)]) for pool in pools]
    return {
        way: {name: float(np.mean([one[way][name] for one in found])) for name in found[0][way]}
        for way in ("t2m", "m2t")
    }


def dissimilar(sentences: np.ndarray, count: int) -> np.ndarray:
    """Positions (count,), ascending, of texts that are far from each other.

    Greedy: begin with the text that is least similar to all on average, then take the one whose
    nearest among those taken is farthest. TMR has a list of 100 for HumanML3D and KIT, found by
    another approximation of the same aim that is not in its code.

    Args:
        sentences: (N, E) of length 1, at least `count`.
    """
    cosines = sentences @ sentences.T
    taken = [int(cosines.mean(1).argmin())]
    nearest = cosines[taken[0]].copy()
    while len(taken) < count:
        nearest[taken[-1]] = np.inf
        taken.append(int(nearest.argmin()))
        nearest = np.maximum(nearest, cosines[taken[-1]])
    return np.sort(taken)
