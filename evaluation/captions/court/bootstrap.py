"""Scores of clips drawn anew: the same drawings for every system, protocol and metric.

That differences are paired, clip by clip, is what makes a small one visible: two systems are judged
on the same easy and hard clips (Koehn, EMNLP 2004).
"""

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from evaluation.captions.clip_statistics import ClipStatistics

CHUNK = 100  # drawings at a time: (CHUNK, N clips) counts are in memory


def resampled_scores(
    statistics: Sequence[ClipStatistics],
    resamples: int,
    seed: int,
    shown: Callable[[Sequence[int]], Iterable[int]] = lambda starts: starts,
) -> np.ndarray:
    """(len(statistics), resamples) scores of N clips drawn with replacement out of N.

    Args:
        statistics: all over the same clips in the same order.
        shown: goes through the starts of the chunks, perhaps with a bar.
    """
    clips = len(statistics[0].values)
    columns = np.cumsum([0, *(one.values.shape[1] for one in statistics)])
    values = np.concatenate([one.values for one in statistics], axis=1)
    rng = np.random.default_rng(seed)
    scores = np.empty((len(statistics), resamples))
    for start in shown(range(0, resamples, CHUNK)):
        drawn = min(CHUNK, resamples - start)
        counts = rng.multinomial(clips, np.full(clips, 1 / clips), size=drawn)
        sums = counts.astype(np.float64) @ values
        for row, one in enumerate(statistics):
            scores[row, start : start + drawn] = one.score(sums[:, columns[row] : columns[row + 1]])
    return scores


def interval(scores: np.ndarray, level: float) -> tuple[float, float]:
    """Percentiles that hold `level` of (R,) scores between them (Efron's percentile interval)."""
    low, high = np.quantile(scores, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def paired_p(differences: np.ndarray) -> float:
    """Two-sided p of no difference: twice the share of (R,) drawings on the rarer side of 0.

    Drawings that tie count on both sides, and one more on each, so that p is never 0 (Davison and
    Hinkley 1997, section 4.2.1).
    """
    rarer = min(int((differences <= 0).sum()), int((differences >= 0).sum()))
    return min(1.0, 2 * (1 + rarer) / (1 + len(differences)))
