"""The leaderboard as CSV: one line a number, so that a program needs no knowledge of layouts.

`row` is "model" for numbers of a method of ours, "real" for real motion, a baseline's name, or
empty for published methods; `facts` are those of our method, `key=value`. `interval` is the one
that is shown: over the training seeds where there are several, else over replications.
"""

import csv
import io
from collections.abc import Iterator

from evaluation.escaping import csv_cell
from evaluation.leaderboard.board import Board
from evaluation.leaderboard.runs import evaluator_label, settings_text
from evaluation.leaderboard.table import Cell, Group, Row, Table
from evaluation.replications.results import MODEL, REAL

FIELDS = (
    "table",
    "group",
    "protocol",
    "kind",
    "method",
    "setting",
    "facts",
    "row",
    "task",
    "metric",
    "unit",
    "better",
    "value",
    "interval",
    "training_seeds",
    "seed_deviation",
    "seed_interval",
    "replication_interval",
    "best",
    "verdict",
    "verdict_detail",
    "source",
    "secondary",
    "note",
    "signature",
    "evaluator",
    "data_fingerprint",
    "seeds",
    "date",
)


def csv_text(board: Board) -> str:
    """All numbers of all tables; ours in full precision, published ones with their digits."""
    stream = io.StringIO()
    writer = csv.DictWriter(stream, FIELDS, lineterminator="\n")
    writer.writeheader()
    for table in board.tables:
        for group in table.groups:
            for row in group.rows:
                for number in _numbers(table, group, row):
                    writer.writerow({key: csv_cell(cell) for key, cell in number.items()})
    return stream.getvalue()


def _numbers(table: Table, group: Group, row: Row) -> Iterator[dict[str, str]]:
    run = row.run
    about_run = (
        {
            "signature": run.signature,
            "evaluator": evaluator_label(run),
            "data_fingerprint": run.data.fingerprint,
            "seeds": " ".join(map(str, run.seeds)),
            "date": run.time,
        }
        if run
        else {}
    )
    for column in table.columns:
        cell = row.cells.get(column.key)
        if cell is None:
            continue
        yield {
            "table": table.published.name,
            "group": group.title,
            "protocol": group.label,
            "kind": row.kind,
            "method": row.method,
            "setting": row.setting,
            "facts": settings_text(run.method.facts) if run and row.name == MODEL else "",
            "row": row.name or (REAL if row.real else ""),
            "task": column.task,
            "metric": column.metric,
            "unit": cell.unit or column.unit,
            "better": column.better,
            "value": _digits(cell.quantity.value, cell.quantity.decimals),
            "interval": _digits(cell.quantity.interval, cell.quantity.interval_decimals),
            **_spreads(cell),
            "best": "yes" if cell.best else "",
            "verdict": cell.verdict.outcome if cell.verdict else "",
            "verdict_detail": cell.verdict.detail if cell.verdict else "",
            "source": row.source,
            "secondary": "yes" if row.secondary else "",
            "note": row.note,
            **about_run,
        }


def _spreads(cell: Cell) -> dict[str, str]:
    """Both kinds of spread of a number of ours; without several seeds its interval is over
    replications."""
    spread = cell.spread
    if spread is None:
        ours = cell.quantity.decimals is None
        return {"replication_interval": _digits(cell.quantity.interval, None) if ours else ""}
    return {
        "training_seeds": str(len(spread.values)),
        "seed_deviation": repr(spread.deviation),
        "seed_interval": repr(spread.interval),
        "replication_interval": _digits(spread.replications, None),
    }


def _digits(value: float | None, decimals: int | None) -> str:
    if value is None:
        return ""
    return repr(value) if decimals is None else f"{value:.{decimals}f}"
