"""What a comparison found: scores, differences of two systems, orders that protocols reverse."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, groupby

import numpy as np

from evaluation.captions.clip_statistics import ClipStatistics
from evaluation.captions.court.bootstrap import interval, paired_p

LEVEL = 0.95
CORRECTION = "Benjamini-Yekutieli"
"""Holds the share of false finds below 1 - LEVEL for tests that depend on each other in any way, as
all tests on the same clips do."""


@dataclass(frozen=True, order=True)
class Key:
    """One number: protocol is `BACK_END/PREPARATION`."""

    metric: str
    protocol: str
    system: str


@dataclass(frozen=True)
class Score:
    """A score with its interval over clips."""

    metric: str
    protocol: str
    system: str
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Comparison:
    """How much better `first` is than `second` under one protocol, both on the same drawn clips.

    Attributes:
        p: two-sided, of this pair alone.
        corrected: the same, corrected for all comparisons that were made (`CORRECTION`).
    """

    metric: str
    protocol: str
    first: str
    second: str
    difference: float
    low: float
    high: float
    p: float
    corrected: float = 1.0

    @property
    def outside(self) -> bool:
        """Whether the interval of the difference leaves 0 out."""
        return self.low > 0 or self.high < 0

    @property
    def told_apart(self) -> bool:
        """Whether the difference stands after the correction."""
        return self.outside and self.corrected < 1 - LEVEL


@dataclass(frozen=True)
class Reversal:
    """Two systems that one metric puts in opposite order under two protocols.

    Attributes:
        here, there: the two comparisons, `first` ahead in the one and behind in the other.
    """

    here: Comparison
    there: Comparison

    @property
    def outside(self) -> bool:
        """Whether both orders are outside the intervals of their differences."""
        return self.here.outside and self.there.outside

    @property
    def told_apart(self) -> bool:
        """Whether both also stand after the correction."""
        return self.here.told_apart and self.there.told_apart


@dataclass(frozen=True)
class Findings:
    """All that was found.

    Attributes:
        orders: how often two systems were put in order by one metric under two protocols: what
            reversals are counted out of.
    """

    scores: Sequence[Score]
    comparisons: Sequence[Comparison]
    reversals: Sequence[Reversal]
    orders: int


def find(statistics: Mapping[Key, ClipStatistics], resampled: np.ndarray) -> Findings:
    """Judge scores by their drawings.

    Args:
        resampled: (len(statistics), R) as of `resampled_scores`.
    """
    rows = dict(zip(statistics, resampled, strict=True))
    values = {key: one.whole for key, one in statistics.items()}
    scores = [
        Score(key.metric, key.protocol, key.system, values[key], *interval(rows[key], LEVEL))
        for key in statistics
    ]
    found = _corrected(
        [
            _comparison(first, second, values, rows)
            for _, members in groupby(statistics, key=lambda key: (key.metric, key.protocol))
            for first, second in combinations(members, 2)
        ]
    )
    paired = [
        (here, there)
        for here, there in combinations(found, 2)
        if (here.metric, here.first, here.second) == (there.metric, there.first, there.second)
    ]
    reversals = [
        Reversal(here, there) if here.difference > 0 else Reversal(there, here)
        for here, there in paired
        if here.difference * there.difference < 0
    ]
    return Findings(scores, found, reversals, len(paired))


def _comparison(
    first: Key, second: Key, values: Mapping[Key, float], rows: Mapping[Key, np.ndarray]
) -> Comparison:
    differences = rows[first] - rows[second]
    return Comparison(
        first.metric,
        first.protocol,
        first.system,
        second.system,
        values[first] - values[second],
        *interval(differences, LEVEL),
        p=paired_p(differences),
    )


def _corrected(found: Sequence[Comparison]) -> list[Comparison]:
    if not found:
        return []
    from scipy.stats import false_discovery_control  # a second to import, at the end of minutes

    adjusted = false_discovery_control([one.p for one in found], method="by")
    return [replace(one, corrected=float(p)) for one, p in zip(found, adjusted, strict=True)]
