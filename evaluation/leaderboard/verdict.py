"""The verdict on one number of ours: reproduced, better, worse, or not comparable."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from evaluation.leaderboard.comparability import Difference, differences
from evaluation.leaderboard.published import METHOD, Column, PublishedRow, PublishedTable
from evaluation.leaderboard.quantity import Quantity, converted
from evaluation.leaderboard.runs import fits
from evaluation.leaderboard.training_seeds import spread_used
from evaluation.replications.results import MODEL, REAL, Result
from evaluation.reports.results_file import ResultsFile

Outcome = Literal["reproduced", "better", "worse", "not comparable"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


@dataclass(frozen=True)
class Verdict:
    """What a number of ours says about a published one.

    Attributes:
        against: method, its setting where it has several, and number that it was compared with.
        reasons: parts of the protocol that differ, where it is "not comparable".
        spread: that our interval is of, see `training_seeds.spread_used`; empty where it is "not
            comparable".
    """

    outcome: Outcome
    against: str
    reasons: tuple[Difference, ...] = ()
    spread: str = ""

    def __str__(self) -> str:
        if not self.reasons:
            return f"{self.outcome} ({self.spread})" if self.spread else self.outcome
        return f"{self.outcome}: {', '.join(reason.words for reason in self.reasons)}"

    @property
    def detail(self) -> str:
        """The same with what it is on both sides."""
        why = f": {'; '.join(map(str, self.reasons))}" if self.reasons else ""
        by = f" by the spread of {self.spread}" if self.spread else ""
        return f"{self.outcome}{by}{why} [against {self.against}]"


def own_quantity(number: Result, column: Column) -> Quantity | None:
    """A number of ours in the unit of its column; None where no factor leads there."""
    value = converted(number.value, number.unit, column.unit)
    if value is None:
        return None
    interval = number.interval
    if interval is not None:
        interval = converted(interval, number.unit, column.unit)
    return Quantity(value, interval)


def judge(
    run: ResultsFile,
    number: Result,
    column: Column,
    table: PublishedTable,
    shipped: Mapping[str, Mapping[str, Any]],
) -> Verdict | None:
    """The verdict, or None where the table has no counterpart of this number.

    Intervals that overlap reproduce; where the paper prints no interval, the number may be off by
    half a unit of its last printed digit (`Quantity.reach`). Our interval is over training seeds
    where there are several models, and the verdict says so. Otherwise the direction of the metric
    decides; where real motion's value is the best one, the number that is nearer to real motion
    of its own table is better. Of several counterparts the one whose protocol differs least is
    taken.
    """
    best: tuple[PublishedRow, tuple[Difference, ...]] | None = None
    for row in _counterparts(run, number, column, table):
        found = differences(run, number, row.protocol, shipped)
        if best is None or len(found) < len(best[1]):
            best = (row, found)
    if best is None:
        return None
    row, reasons = best
    published = row.numbers[column.key]
    decimals = table.decimals(column.key)
    against = f"{table.row_label(row)}: {published.text(decimals)}"
    own = own_quantity(number, column)
    if own is None:
        detail = f"{number.unit or 'none'}, published: {column.unit or 'none'}"
        reasons = (*reasons, Difference("unit", detail))
    if reasons or own is None:
        return Verdict("not comparable", against, reasons)
    if own.overlaps(published):
        return Verdict("reproduced", against, spread=spread_used(run, number))
    if number.row == REAL:
        # Real motion can be neither better nor worse: something unrecorded judges differently.
        detail = f"{own.text(decimals)}, published: {published.text(decimals)}"
        return Verdict("not comparable", against, (Difference("value of real motion", detail),))
    return _by_direction(run, number, column, table, own, published, against)


def _by_direction(
    run: ResultsFile,
    number: Result,
    column: Column,
    table: PublishedTable,
    own: Quantity,
    published: Quantity,
    against: str,
) -> Verdict:
    if column.better == "higher":
        better = own.value > published.value
    elif column.better == "lower":
        better = own.value < published.value
    else:
        real = run.number(number.task, REAL, number.metric)
        ours = None if real is None else own_quantity(real, column)
        theirs = table.real(column)
        if ours is None or theirs is None:
            lacking = "ours" if ours is None else "the published table"
            reason = Difference("value of real motion", f"{lacking} has none")
            return Verdict("not comparable", against, (reason,))
        distance = abs(own.value - ours.value)
        better = distance < abs(published.value - theirs.value)
    outcome: Outcome = "better" if better else "worse"
    return Verdict(outcome, against, spread=spread_used(run, number))


def _counterparts(
    run: ResultsFile, number: Result, column: Column, table: PublishedTable
) -> Sequence[PublishedRow]:
    rows = [row for row in table.rows if column.key in row.numbers and not row.by]
    if number.row == REAL:
        return _first_hand([row for row in rows if row.role == REAL])
    if number.row != MODEL:
        return []
    matching = _first_hand([row for row in rows if row.match is not None and fits(run, row.match)])
    return matching or [row for row in rows if row.otherwise and _of_its_method(run, row)]


def _first_hand(rows: Sequence[PublishedRow]) -> Sequence[PublishedRow]:
    """What others repeat of a method judges only where its own source has no such number."""
    return [row for row in rows if not row.secondary] or rows


def _of_its_method(run: ResultsFile, row: PublishedRow) -> bool:
    """Whether a row speaks for runs that its other facts don't match: of its own method only."""
    return row.match is not None and fits(run, {METHOD: row.match[METHOD]})
