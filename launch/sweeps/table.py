"""The table of a sweep: one row an experiment, the overrides that differ and what came out.

Experiments that differ in their training seed alone also come as one row, see `SeedTable`.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from evaluation.escaping import csv_cell, escaped_markdown
from evaluation.replications.intervals import SeedSpread
from evaluation.reports.results_file import RESULTS, read_results
from launch.runs.ledger import Run
from launch.runs.records import say_once
from launch.sweeps.differences import axes_of, overrides_of
from launch.sweeps.record import Sweep
from launch.tables import text_table
from motiongpt.errors import UserError

SEED = "seed"
SEED_COLUMNS = (
    "metric",
    "mean",
    "training seeds",
    "standard deviation",
    "± (Student's t)",
    "± replications of one model",
)
Cells = Sequence[Sequence[str | float | None]]
SweepRow = tuple[dict[str, str], str, str, dict[str, float]]
"""Overrides, stage, signature and metrics of one result."""


@dataclass(frozen=True)
class SweepTable:
    """Columns, and a row for each experiment that has a result.

    Attributes:
        axes: overrides that not all experiments share.
        metrics: names of the columns behind them.
        rows: (overrides, stage, signature, metrics) of each result.
    """

    axes: list[str]
    metrics: list[str]
    rows: list[SweepRow]

    def columns(self) -> list[str]:
        """All headings."""
        return [*self.axes, "stage", "signature", *self.metrics]

    def cells(self) -> list[list[str | float | None]]:
        """All rows; None where there is no such number."""
        return [
            [
                *(point.get(axis) for axis in self.axes),
                stage,
                signature,
                *(metrics.get(name) for name in self.metrics),
            ]
            for point, stage, signature, metrics in self.rows
        ]

    def only(self, patterns: Sequence[str]) -> "SweepTable":
        """The same with those metrics alone that a pattern names; all, if none does."""
        kept = [name for pattern in patterns for name in self.metrics if fnmatchcase(name, pattern)]
        return SweepTable(self.axes, list(dict.fromkeys(kept)) or self.metrics, self.rows)

    def as_text(self) -> str:
        """For a terminal."""
        return text_table(self.columns(), [[_shown(c) for c in row] for row in self.cells()])

    def as_markdown(self) -> str:
        """For a report."""
        return _markdown(self.columns(), self.cells())

    def as_csv(self) -> str:
        """With all digits."""
        return _csv(self.columns(), self.cells())


@dataclass(frozen=True)
class SeedTable:
    """Results joined over training seeds, one line a number.

    Attributes:
        axes: overrides that not all experiments share, without the seed.
        rows: (overrides, stage, metric, spread) of each number that a seed moves.
    """

    axes: list[str]
    rows: list[tuple[dict[str, str], str, str, SeedSpread]]

    def columns(self) -> list[str]:
        """All headings."""
        return [*self.axes, "stage", *SEED_COLUMNS]

    def cells(self) -> list[list[str | float | None]]:
        """All rows; None where there is no such number."""
        return [
            [
                *(point.get(axis) for axis in self.axes),
                stage,
                metric,
                spread.mean,
                str(len(spread.values)),
                spread.deviation,
                spread.interval,
                spread.replications,
            ]
            for point, stage, metric, spread in self.rows
        ]

    def only(self, metrics: Sequence[str]) -> "SeedTable":
        """The same with these metrics alone."""
        return SeedTable(self.axes, [row for row in self.rows if row[2] in metrics])

    def as_text(self) -> str:
        """For a terminal."""
        return text_table(self.columns(), [[_shown(c) for c in row] for row in self.cells()])

    def as_markdown(self) -> str:
        """For a report."""
        return _markdown(self.columns(), self.cells())

    def as_csv(self) -> str:
        """With all digits."""
        return _csv(self.columns(), self.cells())


def seed_table_of(sweep: Sweep, table: SweepTable) -> SeedTable:
    """The finished experiments of `table` joined over `seed`, those of one seed alone left out."""
    axes = [axis for axis in table.axes if axis != SEED]
    groups: dict[tuple[str, ...], list[SweepRow]] = {}
    for row in table.rows if SEED in table.axes else ():
        point, stage, *_ = row
        key = (stage, *(str(point.get(axis)) for axis in axes))
        groups.setdefault(key, []).append(row)
    rows = []
    for members in groups.values():
        # What no seed trains is one run, however many experiments want it.
        models = list({signature: row for row in members for signature in [row[2]]}.values())
        if len(models) < 2:
            continue
        own = [_intervals(Run(sweep.root, stage, signature)) for _, stage, signature, _ in models]
        shared = set.intersection(*(set(metrics) for *_, metrics in models))
        for metric in (name for name in table.metrics if name in shared):
            values = [metrics[metric] for *_, metrics in models]
            if len(set(values)) > 1:
                spread = SeedSpread.of(values, [one.get(metric) for one in own])
                rows.append((models[0][0], models[0][1], metric, spread))
    return SeedTable(axes, rows)


def _intervals(run: Run) -> dict[str, float | None]:
    """Metric -> its interval over the replications of this model, where it has results."""
    file = run.folder / RESULTS
    if not file.exists():
        return {}
    try:
        found = read_results(file)
    except UserError as error:
        say_once(str(error))
        return {}
    return {f"{one.task}/{one.row}/{one.metric}": one.interval for one in found.results}


def table_of(sweep: Sweep) -> SweepTable:
    """What the finished experiments of `sweep` came to."""
    points, axes = [overrides_of(point) for point in sweep.points], axes_of(sweep.points)
    rows = [
        (overrides, goal.stage, goal.signature, goal.metrics)
        for point, overrides in zip(sweep.points, points, strict=True)
        for goal in (Run(sweep.root, *names) for names in point.goals)
        if goal.is_finished
    ]
    metrics = dict.fromkeys(name for row in rows for name in row[3])
    return SweepTable(axes, list(metrics), rows)


def _shown(cell: str | float | None) -> str:
    if cell is None:
        return "-"
    return f"{cell:.4g}" if isinstance(cell, float) else cell


def _markdown(columns: Sequence[str], cells: Cells) -> str:
    lines = [list(columns), ["---"] * len(columns)]
    lines += [[_shown(cell) for cell in row] for row in cells]
    return "".join(f"| {' | '.join(map(escaped_markdown, line))} |\n" for line in lines)


def _csv(columns: Sequence[str], cells: Cells) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([csv_cell(name) for name in columns])
    writer.writerows([csv_cell(cell) for cell in row] for row in cells)
    return stream.getvalue()
