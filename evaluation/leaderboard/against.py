"""A verdict on one results.json against another, or against chosen rows of a published table.

The verdict itself is `verdict.judge`'s; here a results.json becomes a row that it can judge by.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evaluation.leaderboard.comparability import Difference
from evaluation.leaderboard.judgement import in_words, judgements
from evaluation.leaderboard.published import (
    METHOD,
    Column,
    PublishedProtocol,
    PublishedRow,
    PublishedTable,
)
from evaluation.leaderboard.quantity import Quantity
from evaluation.leaderboard.runs import digest
from evaluation.leaderboard.verdict import Verdict, judge
from evaluation.replications.results import MODEL, REAL, Result
from evaluation.reports.results_file import ResultsFile
from motiongpt.errors import UserError

SAME = "cannot be told apart"  # what "reproduced" means where nobody tried to reproduce
DIGITS = 4  # behind the point, of another run's numbers
OURS = "results"  # key of the one source of a table that is made of a results.json


@dataclass(frozen=True)
class Comparison:
    """Verdicts on one run's numbers against one other row.

    Attributes:
        against: name of that row.
        verdicts: (task, metric) -> verdict.
    """

    against: str
    verdicts: Mapping[tuple[str, str], Verdict]

    @property
    def is_worse(self) -> bool:
        """Whether any number is worse."""
        return any(one.outcome == "worse" for one in self.verdicts.values())

    def lines(self) -> Iterator[str]:
        """One line for each outcome: which numbers, and why where they can't be compared."""
        titles = {f"{task} {metric}": one for (task, metric), one in self.verdicts.items()}
        for one in judgements(titles):
            said = in_words([one]).replace("reproduced", SAME, 1)
            why = f" [{'; '.join(one.details)}]" if one.details else ""
            yield f"against {self.against}: {', '.join(one.columns)}: {said}{why}"


def against_results(
    run: ResultsFile, other: ResultsFile, shipped: Mapping[str, Mapping[str, Any]]
) -> Comparison:
    """Verdicts on `run` against another run's numbers.

    Data, clips and evaluator must be the same by their content, not by their names only.

    Raises:
        UserError: they have no number in common.
    """
    columns = [
        Column(f"{one.task}/{one.metric}", one.task, one.metric, one.metric, one.better, one.unit)
        for one in other.results
        if one.row == MODEL
    ]
    rows = [
        replace(_row(other, MODEL, columns), match={METHOD: [run.method.name]}),
        replace(_row(other, REAL, columns), role=REAL),
    ]
    table = PublishedTable(
        name=OURS, title="", columns=columns, rows=rows, sources={OURS: str(other.path)},
        protocol=rows[0].protocol,
    )  # fmt: skip
    # Which clips, `_unlike` says: the same few of both runs are no subset of each other.
    whole = replace(run, protocol={**run.protocol, "clips": None})
    found = _judged(whole, table, shipped)
    for key, verdict in found.items():
        number = run.number(key[0], MODEL, key[1])
        if number is not None and (reasons := _unlike(run, other, number)):
            found[key] = Verdict("not comparable", verdict.against, reasons)
    if not found:
        raise UserError(f"{other.path}: it has no number that {run.path} has too")
    return Comparison(f"{other.method.name} ({other.path})", found)


def against_published(
    run: ResultsFile,
    table: PublishedTable,
    method: str | None,
    shipped: Mapping[str, Mapping[str, Any]],
) -> list[Comparison]:
    """Verdicts on `run` against each row of a published table, or those of one method.

    Raises:
        UserError: no row of this method, or none with a number that the run has.
    """
    rows = rows_of(table, method)
    real = [row for row in table.rows if row.role == REAL]
    found = []
    for row in rows:
        # The row speaks for this run, whatever methods it is the counterpart of otherwise.
        mine = replace(row, match={METHOD: [run.method.name]}, by="")
        verdicts = _judged(run, replace(table, rows=[mine, *real]), shipped)
        if verdicts:
            found.append(Comparison(table.row_label(row), verdicts))
    if not found:
        raise UserError(f"{table.name}: it has no number that {run.path} has too")
    return found


def rows_of(table: PublishedTable, method: str | None) -> list[PublishedRow]:
    """Rows of a method, or of all methods; none of real motion.

    Raises:
        UserError: there is none; names those that there are.
    """
    methods = [row for row in table.rows if row.role != REAL]
    found = [row for row in methods if method in (None, row.method)]
    if not found:
        names = ", ".join(dict.fromkeys(row.method for row in methods))
        raise UserError(f"{table.name}: no row of {method}; it has {names}")
    return found


def _judged(
    run: ResultsFile, table: PublishedTable, shipped: Mapping[str, Mapping[str, Any]]
) -> dict[tuple[str, str], Verdict]:
    found = {}
    for column in table.columns:
        number = run.number(column.task, MODEL, column.metric)
        verdict = None if number is None else judge(run, number, column, table, shipped)
        if verdict is not None:
            found[column.task, column.metric] = verdict
    return found


def _row(run: ResultsFile, name: str, columns: Sequence[Column]) -> PublishedRow:
    found = {
        column.key: number
        for column in columns
        if (number := run.number(column.task, name, column.metric)) is not None
    }
    return PublishedRow(
        method=run.method.name,
        numbers={key: _quantity(number) for key, number in found.items()},
        source=OURS,
        protocol=PublishedProtocol(),  # what must be the same is compared by `_unlike`
    )


def _quantity(number: Result) -> Quantity:
    return Quantity(number.value, number.interval, DIGITS, DIGITS)


def _unlike(run: ResultsFile, other: ResultsFile, number: Result) -> tuple[Difference, ...]:
    """What two runs of ours must share to be compared, by content and not by name only."""
    parts = {
        "data": (run.data.fingerprint[:12], other.data.fingerprint[:12]),
        "split": (run.data.split, other.data.split),
        "clips": (str(run.data.clips), str(other.data.clips)),
        "protocol": tuple(f"{one.protocol['name']} {_settings(one)}" for one in (run, other)),
    }
    if number.judge == "evaluator":
        parts["evaluator"] = (_evaluator(run), _evaluator(other))
    if number.judge == "captions":
        parts["captions"] = (digest(run.captions), digest(other.captions))
    return tuple(
        Difference(part, f"{mine}, there: {theirs}")
        for part, (mine, theirs) in parts.items()
        if mine != theirs
    )


def _evaluator(run: ResultsFile) -> str:
    return str((run.evaluator or {}).get("fingerprint", "none"))[:12]


def _settings(run: ResultsFile) -> str:
    """Of a protocol, what moves a number: how one method is prompted is its own affair."""
    left = {"name", "replications", "motiongpt", "tasks"}
    return digest({key: value for key, value in run.protocol.items() if key not in left})
