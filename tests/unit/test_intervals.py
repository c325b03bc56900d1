"""Intervals hold the mean as often as they are said to, and the field's as rarely."""

import numpy as np
import pytest

from evaluation.replications.intervals import (
    NORMAL,
    SeedSpread,
    interval_of,
    normal_interval,
    student_interval,
    told_apart,
)
from evaluation.replications.rules import Rules
from motiongpt.errors import UserError


def coverage(interval, count, times):
    """How often the interval of `count` normal values holds their mean, 0."""
    draws = np.random.default_rng(count).normal(size=(times, count))
    return np.mean([abs(one.mean()) <= interval(one) for one in draws])


@pytest.mark.parametrize(("count", "share"), [(5, 0.85), (20, 0.93)])
def test_the_fields_interval_holds_the_mean_less_often_than_it_says(count, share):
    assert coverage(normal_interval, count, 20_000) == pytest.approx(share, abs=0.01)


@pytest.mark.parametrize("count", [3, 5, 20])
def test_students_interval_holds_it_in_95_percent(count):
    assert coverage(student_interval, count, 5_000) == pytest.approx(0.95, abs=0.01)


def test_the_fields_constants():
    assert NORMAL == 1.96
    # 1.96 times the deviation that divides by n, 2, over the root of 4.
    assert normal_interval([1.0, 1.0, 5.0, 5.0]) == pytest.approx(1.96 * 2.0 / 2.0)
    assert student_interval([1.0, 2.0, 3.0]) == pytest.approx(4.302652730 / 3**0.5)  # t, 2 free
    assert interval_of([0.0, 1.0], "normal") == normal_interval([0.0, 1.0])
    assert interval_of([0.0, 1.0], "student") == student_interval([0.0, 1.0])
    assert normal_interval([1.0]) is student_interval([1.0]) is None


def test_the_protocol_says_which():
    assert Rules().intervals == "normal"
    assert Rules.of({"intervals": "student"}).intervals == "student"
    with pytest.raises(UserError, match="choose one of normal, student"):
        Rules.of({"intervals": "bootstrap"})


def test_sets_are_told_apart_by_their_spread():
    assert told_apart([1.0, 1.1, 0.9], [2.0, 2.1, 1.9]) is True
    assert told_apart([1.0, 1.6, 0.4], [1.3, 1.9, 0.7]) is False
    assert told_apart([1.0], [2.0, 2.1]) is None
    assert told_apart([1.0, 1.0], [2.0, 2.0]) is True
    assert told_apart([1.0, 1.0], [1.0, 1.0]) is False


def test_both_spreads_stay_apart_and_change_units_together():
    found = SeedSpread.of([1.0, 2.0, 3.0], [0.1, 0.3, None])
    assert (found.mean, found.deviation) == (2.0, pytest.approx(1.0))
    assert found.interval == student_interval([1.0, 2.0, 3.0])
    assert found.replications == pytest.approx(0.2)
    scaled = found.scaled(1000.0)
    assert scaled.values == (1000.0, 2000.0, 3000.0)
    assert scaled.interval == pytest.approx(1000 * found.interval)
    assert scaled.replications == pytest.approx(200.0)
    assert SeedSpread.of([1.0, 2.0], [None, None]).replications is None
