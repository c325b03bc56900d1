"""Numbers that could not be had, and why: one metric's trouble costs no other number."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch

from evaluation.replications.results import MODEL
from motiongpt.errors import UserError

UNJUDGEABLE = (UserError, ValueError, ArithmeticError, LookupError, torch.linalg.LinAlgError)
"""What metrics, evaluators and caption packages raise of outputs that they can't judge. Anything
else, such as a full disk or memory, ends the stage: trying again may help."""
NO_EVALUATOR = "there is no evaluator"
NOTHING = "no clip has what it is computed from"

Found = TypeVar("Found")


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


def attempted(compute: Callable[[], Found]) -> tuple[Found | None, str]:
    """What `compute` gives and no reason; or None, and why there is nothing."""
    try:
        return compute(), ""
    except UNJUDGEABLE as error:
        said = " ".join(str(error).split())
        return None, said if isinstance(error, UserError) else f"{type(error).__name__}: {said}"


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
