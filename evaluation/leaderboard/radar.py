"""Radar charts over the metrics of the four tasks, one chart for numbers that may be compared.

Axes: those of figure 10 of MotionGPT's page. Scale of every axis: from the worst value that its
chart shows, on the inner ring, to the best, on the rim; so axes on which lower is better are
turned round, and where real motion is best the distance to it counts. A value that is missing is
a gap in the line.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluation.leaderboard.board import Board
from evaluation.leaderboard.published import Column
from evaluation.leaderboard.quantity import Quantity
from evaluation.leaderboard.runs import run_label, setting_key, setting_label
from evaluation.leaderboard.table import Table
from evaluation.leaderboard.verdict import own_quantity
from evaluation.replications.results import MODEL, REAL
from evaluation.reports.results_file import ResultsFile

AXES = (
    Column("t2m_r_top1", "text_to_motion", "r_top1", "R@1", "higher", group="text to motion"),
    Column("t2m_fid", "text_to_motion", "fid", "FID", "lower", group="text to motion"),
    Column("t2m_div", "text_to_motion", "diversity", "Diversity", "real", group="text to motion"),
    Column("m2t_r_top3", "motion_to_text", "r_top3", "R@3", "higher", group="motion to text"),
    Column("m2t_bleu4", "motion_to_text", "bleu4", "BLEU-4", "higher", "%", "motion to text"),
    Column("m2t_cider", "motion_to_text", "cider", "CIDEr", "higher", "%", "motion to text"),
    Column("prediction_fid", "prediction", "fid", "FID", "lower", group="prediction"),
    Column("prediction_div", "prediction", "diversity", "Diversity", "real", group="prediction"),
    Column("inbetween_fid", "inbetween", "fid", "FID", "lower", group="in-between"),
    Column("inbetween_div", "inbetween", "diversity", "Diversity", "real", group="in-between"),
)
# More lines than this can't be told apart; the newest runs of each method are drawn.
MOST_RUNS = 5
# A line through fewer axes than this says nothing that a table does not say better.
FEWEST_AXES = 3
BASELINE = "baseline"
REAL_LABEL, BASELINE_LABEL = "Real", "worst of the simple baselines"


@dataclass(frozen=True)
class Series:
    """One line of a chart: axis key -> value, in the unit of the axis."""

    label: str
    values: Mapping[str, float]
    role: str = ""


@dataclass(frozen=True)
class Radar:
    """One chart; its numbers were made the same way, as `label` says."""

    title: str
    label: str
    series: Sequence[Series]

    def positions(self) -> dict[tuple[int, str], float]:
        """(index of the series, axis key) -> 0 worst shown … 1 best shown; missing are absent."""
        found = {}
        for axis in AXES:
            good = {
                index: goodness
                for index, series in enumerate(self.series)
                if (goodness := self._goodness(series, axis)) is not None
            }
            if not good:
                continue
            low, high = min(good.values()), max(good.values())
            for index, value in good.items():
                found[index, axis.key] = (value - low) / (high - low) if high > low else 1.0
        return found

    def ends(self, axis: Column) -> tuple[float, float] | None:
        """Values on the inner ring and on the rim, or None where nothing was measured."""
        shown = [
            (goodness, series.values[axis.key])
            for series in self.series
            if (goodness := self._goodness(series, axis)) is not None
        ]
        return (min(shown)[1], max(shown)[1]) if shown else None

    def _goodness(self, series: Series, axis: Column) -> float | None:
        value = series.values.get(axis.key)
        if value is None:
            return None
        if axis.better == "higher":
            return value
        if axis.better == "lower":
            return -value
        real = next((s.values.get(axis.key) for s in self.series if s.role == REAL), None)
        return None if real is None else -abs(value - real)


def radars(board: Board) -> list[Radar]:
    """The published chart, then one for each protocol, data and evaluator of ours.

    Published lines are drawn into a chart of ours only where a verdict says that the numbers may
    be compared.
    """
    published = _published_series(board.tables)
    charts = []
    if published:
        label = board.tables[0].published.protocol.label
        charts.append(Radar("Published", label, published))
    settings: dict[tuple[str, ...], list[ResultsFile]] = {}
    for run in board.runs:
        settings.setdefault(setting_key(run), []).append(run)
    for runs in settings.values():
        series = _own_series(runs)
        if not any(line.role == MODEL for line in series):
            continue
        if _comparable(board.tables, runs):
            series += [line for line in published if line.role != REAL]
        charts.append(Radar("Ours", setting_label(runs[0]), series))
    return charts


def _published_series(tables: Sequence[Table]) -> list[Series]:
    values: dict[str, dict[str, float]] = {}
    roles: dict[str, str] = {}
    for table in tables:
        for row in table.published.rows:
            if not row.series:
                continue
            found = values.setdefault(row.series, {})
            roles[row.series] = row.role
            for axis, quantity in _on_axes(row.numbers, table.columns).items():
                found.setdefault(axis, quantity.value)
    return [
        Series(label, numbers, roles[label])
        for label, numbers in values.items()
        if len(numbers) >= FEWEST_AXES
    ]


def _on_axes(numbers: Mapping[str, Quantity], columns: Sequence[Column]) -> dict[str, Quantity]:
    return {
        axis.key: numbers[column.key]
        for axis in AXES
        for column in columns
        if (column.task, column.metric) == (axis.task, axis.metric) and column.key in numbers
    }


def _own_series(runs: Sequence[ResultsFile]) -> list[Series]:
    newest = _newest(runs)
    models = [
        Series(f"{run_label(run, newest)} · {run.signature[:8]}", _values(run, MODEL), MODEL)
        for run in newest
    ]
    others = [
        Series(REAL_LABEL, _values(newest[0], REAL), REAL),
        Series(BASELINE_LABEL, _baseline_values(newest[0]), BASELINE),
    ]
    found = [line for line in models if len(line.values) >= FEWEST_AXES]
    return [*found, *(line for line in others if line.values)] if found else []


def _newest(runs: Sequence[ResultsFile]) -> list[ResultsFile]:
    """The newest run of each method, then each one's second newest ..., as many as are drawn."""
    by_method: dict[str, list[ResultsFile]] = {}
    for run in sorted(runs, key=lambda run: run.time, reverse=True):
        by_method.setdefault(run.method.name, []).append(run)
    rounds = itertools.zip_longest(*by_method.values())
    return [run for one in rounds for run in one if run is not None][:MOST_RUNS]


def _baseline_values(run: ResultsFile) -> dict[str, float]:
    """The worst on each axis: another clip is a bad output but has a perfect FID."""
    real = _values(run, REAL)
    found: dict[str, float] = {}
    for name in (name for name in run.rows if name not in (MODEL, REAL)):
        for axis in AXES:
            value = _values(run, name).get(axis.key)
            before = found.get(axis.key)
            if value is None or axis.key not in real:
                continue
            if before is None or abs(value - real[axis.key]) > abs(before - real[axis.key]):
                found[axis.key] = value
    return found


def _values(run: ResultsFile, name: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for axis in AXES:
        number = run.number(axis.task, name, axis.metric)
        quantity = None if number is None else own_quantity(number, axis)
        if quantity is not None:
            found[axis.key] = quantity.value
    return found


def _comparable(tables: Sequence[Table], runs: Sequence[ResultsFile]) -> bool:
    mine = {id(run) for run in runs}
    on_axes = {(axis.task, axis.metric) for axis in AXES}
    return any(
        cell.verdict is not None and cell.verdict.outcome != "not comparable"
        for table in tables
        for group in table.groups
        for row in group.rows
        if row.run is not None and id(row.run) in mine and row.name == MODEL
        for column in table.columns
        if (column.task, column.metric) in on_axes and (cell := row.cells.get(column.key))
    )
