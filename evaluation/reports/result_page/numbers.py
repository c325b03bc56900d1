"""The tables of a result page: a task's numbers, a column for each row of the evaluation."""

from collections.abc import Sequence
from typing import NamedTuple

from evaluation.replications.results import ARROWS, MODEL, REAL, Result
from evaluation.reports.result_page.showing import title_of


class Cell(NamedTuple):
    """A number as words, what it is sorted by, and half the width of its interval."""

    words: str
    value: float | None
    interval: str


class TaskTable(NamedTuple):
    """The numbers of one task.

    Attributes:
        columns: rows of the evaluation: the method first, then real motion, then what else stands
            beside.
        lines: (metric with unit and direction, clips, cells of the columns).
    """

    task: str
    title: str
    columns: list[str]
    lines: list[tuple[str, int, list[Cell]]]


def task_tables(results: Sequence[Result], method: str) -> list[TaskTable]:
    """A table of each task, in the order of the results.

    Args:
        method: name that heads the column of its own numbers.
    """
    tasks = dict.fromkeys(one.task for one in results)
    return [_table(task, [one for one in results if one.task == task], method) for task in tasks]


def _table(task: str, results: Sequence[Result], method: str) -> TaskTable:
    there = dict.fromkeys(one.row for one in results)
    rows = [row for row in (MODEL, REAL) if row in there]
    rows += [row for row in there if row not in (MODEL, REAL)]
    lines: dict[str, dict[str, Result]] = {}
    for one in results:
        lines.setdefault(one.metric, {})[one.row] = one
    return TaskTable(
        task,
        title_of(task),
        [method if row == MODEL else row for row in rows],
        [_line(by_row, rows) for by_row in lines.values()],
    )


def _line(by_row: dict[str, Result], rows: Sequence[str]) -> tuple[str, int, list[Cell]]:
    one = next(iter(by_row.values()))
    unit = f" ({one.unit})" if one.unit else ""
    name = f"{one.metric}{unit} {ARROWS[one.better]}"
    return name, one.cases, [_cell(by_row.get(row)) for row in rows]


def _cell(result: Result | None) -> Cell:
    if result is None:
        return Cell("–", None, "")
    digits = 1 if abs(result.value) >= 10 else 3
    interval = "" if result.interval is None else f"± {result.interval:.{digits}f}"
    return Cell(f"{result.value:.{digits}f}", result.value, interval)
