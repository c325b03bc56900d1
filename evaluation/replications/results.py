"""Numbers of an evaluation, and the tables that show them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.metrics.base import Better, Number

ARROWS = {"lower": "↓", "higher": "↑", "real": "→"}
NORMAL = 1.96  # standard errors on either side that hold 95 % of a normal distribution


@dataclass(frozen=True)
class Result:
    """One number.

    Attributes:
        task, method, metric: what was measured; `method` is "model" or a baseline.
        value: mean over the replications, in `unit`.
        interval: half the width of the 95 % interval of that mean, as the field prints it (1.96
            standard deviations, dividing by n, over the root of n); None for one replication.
        replications: how many.
        values: of each.
        better: which way is better.
        cases: clips behind it.
    """

    task: str
    method: str
    metric: str
    value: float
    interval: float | None
    replications: int
    values: list[float]
    unit: str
    better: Better
    cases: int

    @classmethod
    def of(
        cls,
        task: str,
        method: str,
        metric: str,
        values: Sequence[float],
        number: Number,
        cases: int,
    ) -> "Result":
        """The mean of replications, with its interval."""
        count = len(values)
        interval = NORMAL * float(np.std(values)) / math.sqrt(count) if count > 1 else None
        return cls(
            task=task,
            method=method,
            metric=metric,
            value=float(np.mean(values)),
            interval=interval,
            replications=count,
            values=list(values),
            unit=number.unit,
            better=number.better,
            cases=cases,
        )


def markdown_table(results: Sequence[Result]) -> str:
    """One row for each task and metric, one column for each method: the model, then the others."""
    header, rows = table_cells(results)
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def plain_table(results: Sequence[Result]) -> str:
    """The same in columns."""
    header, rows = table_cells(results)
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [header, *rows]
    )


def table_cells(results: Sequence[Result]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the table, as words."""
    rows: dict[tuple[str, str], dict[str, Result]] = {}
    for result in results:
        rows.setdefault((result.task, result.metric), {})[result.method] = result
    cells = []
    for (task, metric), by_method in rows.items():
        any_result = next(iter(by_method.values()))
        arrow = ARROWS[any_result.better]
        unit = f" ({any_result.unit})" if any_result.unit else ""
        others = [
            f"{method} {_number(result)}"
            for method, result in by_method.items()
            if method not in ("model", "real")
        ]
        cells.append(
            [
                task,
                f"{metric}{unit} {arrow}",
                _number(by_method.get("model")),
                _number(by_method.get("real")),
                ", ".join(others) or "-",
                str(any_result.cases),
            ]
        )
    return ["task", "metric", "model", "real", "for comparison", "clips"], cells


def _number(result: Result | None) -> str:
    if result is None:
        return "-"
    digits = 1 if abs(result.value) >= 10 else 3
    spread = f" ±{result.interval:.{digits}f}" if result.interval is not None else ""
    return f"{result.value:.{digits}f}{spread}"
