"""Intervals of a mean, and the two spreads of a number: replications and training seeds."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

NORMAL = 1.96  # standard errors on either side that hold 95 % of a normal distribution
SURE = 0.95
IntervalKind = Literal["normal", "student"]
INTERVALS: tuple[IntervalKind, ...] = get_args(IntervalKind)


def normal_interval(values: Sequence[float]) -> float | None:
    """Half width of the interval that the field prints (Guo et al., 2022); None for one value.

    1.96 standard deviations (dividing by n) over the root of n. It is called 95 %, and holds the
    mean of a normal distribution in 85 % of cases for 5 values, in 93 % for 20: the deviation is
    estimated from the same few values, and too small.
    """
    if len(values) < 2:
        return None
    return NORMAL * float(np.std(values)) / math.sqrt(len(values))


def student_interval(values: Sequence[float]) -> float | None:
    """Half width of Student's t interval, which holds the mean in 95 % of cases for any number of
    values of a normal distribution; None for one value."""
    if len(values) < 2:
        return None
    from scipy import stats  # takes a second to import, and most tables have no such interval

    count = len(values)
    factor = float(stats.t.ppf((1 + SURE) / 2, count - 1))
    return factor * float(np.std(values, ddof=1)) / math.sqrt(count)


def interval_of(values: Sequence[float], kind: IntervalKind) -> float | None:
    """The half width of one or the other."""
    return {"normal": normal_interval, "student": student_interval}[kind](values)


def told_apart(first: Sequence[float], second: Sequence[float]) -> bool | None:
    """Whether the means of two sets differ by Welch's t test at 5 %; None for less than 2 values.

    Sets without any spread differ where their values do.
    """
    if min(len(first), len(second)) < 2:
        return None
    if np.ptp(first) == 0 and np.ptp(second) == 0:
        return bool(first[0] != second[0])
    from scipy import stats  # as above

    return bool(stats.ttest_ind(first, second, equal_var=False).pvalue < 1 - SURE)


@dataclass(frozen=True)
class SeedSpread:
    """One number of several models that differ in their training seeds alone.

    Attributes:
        values: of each model, its mean over replications.
        deviation: standard deviation of them (dividing by n - 1): what another training moves.
        interval: half width of Student's t interval of their mean.
        replications: mean half width of one model's own interval, over its replications: what
            other draws of one model move; None where models have none.
    """

    values: tuple[float, ...]
    deviation: float
    interval: float
    replications: float | None

    @classmethod
    def of(cls, values: Sequence[float], own: Sequence[float | None]) -> "SeedSpread":
        """Of two models or more.

        Args:
            own: each model's interval over its replications.
        """
        interval = student_interval(values)
        assert interval is not None
        known = [one for one in own if one is not None]
        return cls(
            values=tuple(values),
            deviation=float(np.std(values, ddof=1)),
            interval=interval,
            replications=float(np.mean(known)) if known else None,
        )

    def scaled(self, factor: float) -> "SeedSpread":
        """The same in another unit."""
        own = self.replications
        return SeedSpread(
            tuple(factor * value for value in self.values),
            factor * self.deviation,
            factor * self.interval,
            None if own is None else factor * own,
        )

    @property
    def mean(self) -> float:
        """Over the models."""
        return float(np.mean(self.values))
