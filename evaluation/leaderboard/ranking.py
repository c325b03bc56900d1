"""What a group of rows of ours says of their order: told apart by training seeds, or open."""

from collections.abc import Sequence

from evaluation.leaderboard.judgement import column_title
from evaluation.leaderboard.published import Column
from evaluation.leaderboard.training_seeds import members_of
from evaluation.replications.intervals import told_apart
from evaluation.replications.results import MODEL, REAL
from evaluation.reports.results_file import ResultsFile

Ranked = tuple[str, ResultsFile]  # the words of a row, and its run


def ranking(rows: Sequence[Ranked], columns: Sequence[Column]) -> str:
    """One line on the order of models, or nothing where there are not two of them.

    Neighbours in the order are compared by Welch's t test over their training seeds; where a row
    has one training run the spread of training is not known, and its place is open.
    """
    orders = [(column, _ordered(rows, column)) for column in columns]
    orders = [(column, order) for column, order in orders if len(order) > 1]
    if not orders:
        return ""
    if all(len(members_of(run)) < 2 for _, order in orders for _, run in order):
        titles = ", ".join(column_title(column) for column, _ in orders)
        return f"The ranking is open, one training run a row: {titles}."
    said = "; ".join(f"{column_title(column)}: {_chain(column, order)}" for column, order in orders)
    return f"Ranking, best first (> told apart by training seeds, ~ open): {said}."


def _ordered(rows: Sequence[Ranked], column: Column) -> list[Ranked]:
    """Rows that have the number, best first."""
    found = []
    for words, run in rows:
        number = run.number(column.task, MODEL, column.metric)
        real = run.number(column.task, REAL, column.metric)
        if number is None:
            continue
        if column.better == "real":
            if real is not None:
                found.append((abs(number.value - real.value), words, run))
        else:
            sign = -1.0 if column.better == "higher" else 1.0
            found.append((sign * number.value, words, run))
    found.sort(key=lambda one: one[0])
    return [(words, run) for _, words, run in found]


def _chain(column: Column, order: Sequence[Ranked]) -> str:
    """As `2 > 4 ~ 8`."""
    said = order[0][0]
    for (_, before), (words, run) in zip(order, order[1:], strict=False):
        apart = told_apart(_values(before, column), _values(run, column))
        said += f" {'>' if apart else '~'} {words}"
    return said


def _values(run: ResultsFile, column: Column) -> list[float]:
    found = (one.number(column.task, MODEL, column.metric) for one in members_of(run))
    return [number.value for number in found if number is not None]
