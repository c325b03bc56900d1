"""The table of a sweep: one row an experiment, the overrides that differ and what came out."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from evaluation.escaping import csv_cell, escaped_markdown
from launch.runs.ledger import Run
from launch.sweeps.differences import axes_of, overrides_of
from launch.sweeps.record import Sweep
from launch.tables import text_table

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
        return text_table(self.columns(), [[shown(c) for c in row] for row in self.cells()])

    def as_markdown(self) -> str:
        """For a report."""
        return markdown_of(self.columns(), self.cells())

    def as_csv(self) -> str:
        """With all digits."""
        return csv_of(self.columns(), self.cells())


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


def shown(cell: str | float | None) -> str:
    """A cell as a person reads it."""
    if cell is None:
        return "-"
    return f"{cell:.4g}" if isinstance(cell, float) else cell


def markdown_of(columns: Sequence[str], cells: Cells) -> str:
    """The lines of a table."""
    lines = [list(columns), ["---"] * len(columns)]
    lines += [[shown(cell) for cell in row] for row in cells]
    return "".join(f"| {' | '.join(map(escaped_markdown, line))} |\n" for line in lines)


def csv_of(columns: Sequence[str], cells: Cells) -> str:
    """The same with all digits."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([csv_cell(name) for name in columns])
    writer.writerows([csv_cell(cell) for cell in row] for row in cells)
    return stream.getvalue()
