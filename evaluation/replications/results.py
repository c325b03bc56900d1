"""Numbers of an evaluation, and the tables that show them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.escaping import escaped_markdown
from evaluation.metrics.numbers import Better, Judge, Number
from evaluation.replications.intervals import IntervalKind, interval_of

MODEL, REAL = "model", "real"
"""Rows of every task: the method's own outputs, whatever the method, and the real clips."""
ARROWS = {"lower": "↓", "higher": "↑", "real": "→"}


@dataclass(frozen=True)
class Result:
    """One number.

    Attributes:
        task, row, metric: what was measured; `row` is "model" for the method's own outputs, "real"
            or a baseline.
        value: mean over the replications, in `unit`.
        interval: half the width of the 95 % interval of that mean, of the kind that the protocol
            says (see `evaluation.replications.intervals`); None for one replication.
        replications: how many.
        values: of each.
        better: which way is better.
        cases: clips behind it.
        judge: what it depends on besides the motions, see `Metric.judge`.
    """

    task: str
    row: str
    metric: str
    value: float
    interval: float | None
    replications: int
    values: list[float]
    unit: str
    better: Better
    cases: int
    judge: Judge

    @classmethod
    def of(
        cls,
        task: str,
        row: str,
        metric: str,
        values: Sequence[float],
        number: Number,
        cases: int,
        judge: Judge,
        intervals: IntervalKind = "normal",
    ) -> "Result":
        """The mean of replications, with its interval."""
        return cls(
            task=task,
            row=row,
            metric=metric,
            value=float(np.mean(values)),
            interval=interval_of(values, intervals),
            replications=len(values),
            values=list(values),
            unit=number.unit,
            better=number.better,
            cases=cases,
            judge=judge,
        )


def markdown_table(results: Sequence[Result], method: str) -> str:
    """One line for each task and metric; columns: the method, real motion, then the baselines."""
    header, rows = _table_cells(results, method)
    head, *lines = ("| " + " | ".join(map(escaped_markdown, row)) + " |" for row in [header, *rows])
    return "\n".join([head, "|" + " --- |" * len(header), *lines])


def plain_table(results: Sequence[Result], method: str) -> str:
    """The same in columns."""
    header, rows = _table_cells(results, method)
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [header, *rows]
    )


def _table_cells(results: Sequence[Result], method: str) -> tuple[list[str], list[list[str]]]:
    """Header and lines of the table, as words.

    Args:
        method: name of the method that is evaluated; heads the column of its numbers.
    """
    lines: dict[tuple[str, str], dict[str, Result]] = {}
    for result in results:
        lines.setdefault((result.task, result.metric), {})[result.row] = result
    cells = []
    for (task, metric), by_row in lines.items():
        any_result = next(iter(by_row.values()))
        arrow = ARROWS[any_result.better]
        unit = f" ({any_result.unit})" if any_result.unit else ""
        others = [
            f"{row} {_number(result)}" for row, result in by_row.items() if row not in (MODEL, REAL)
        ]
        cells.append(
            [
                task,
                f"{metric}{unit} {arrow}",
                _number(by_row.get(MODEL)),
                _number(by_row.get(REAL)),
                ", ".join(others) or "-",
                str(any_result.cases),
            ]
        )
    return ["task", "metric", method, REAL, "for comparison", "clips"], cells


def _number(result: Result | None) -> str:
    if result is None:
        return "-"
    digits = 1 if abs(result.value) >= 10 else 3
    spread = f" ±{result.interval:.{digits}f}" if result.interval is not None else ""
    return f"{result.value:.{digits}f}{spread}"
