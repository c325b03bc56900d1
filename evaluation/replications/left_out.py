"""Numbers that could not be had, and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.replications.results import MODEL

NO_EVALUATOR = "there is no evaluator"
NOTHING = "no clip has what it is computed from"


@dataclass(frozen=True)
class LeftOut:
    """A number that results lack.

    Attributes:
        task, row, metric: as of a `Result`.
        reason: one line.
    """

    task: str
    row: str
    metric: str
    reason: str


def left_out_lines(left_out: Sequence[LeftOut]) -> list[str]:
    """One line a reason: metrics and tasks; and the rows, where the method's own has its number."""
    found: dict[tuple[str, str], tuple[dict[str, None], dict[str, None]]] = {}
    for one in left_out:
        metrics, rows = found.setdefault((one.task, one.reason), ({}, {}))
        metrics[one.metric] = rows[one.row] = None
    groups: dict[tuple[str, str, str], list[str]] = {}
    for (task, reason), (metrics, rows) in found.items():
        which = "" if MODEL in rows else f" ({', '.join(rows)})"
        groups.setdefault((", ".join(metrics), which, reason), []).append(task)
    return [
        f"left out: {metrics} of {', '.join(tasks)}{which}: {reason}"
        for (metrics, which, reason), tasks in groups.items()
    ]
