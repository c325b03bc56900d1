"""Numbers that could not be had, and why: one metric's trouble costs no other number."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch

from motiongpt.errors import UserError

UNJUDGEABLE = (UserError, ValueError, ArithmeticError, LookupError, torch.linalg.LinAlgError)
"""What metrics, evaluators and caption packages raise of outputs that they can't judge. Anything
else, such as a full disk or memory, ends the stage: trying again may help."""
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
    """One line a task and reason, with the metrics and rows that it concerns."""
    groups: dict[tuple[str, str], dict[str, list[str]]] = {}
    for one in left_out:
        groups.setdefault((one.task, one.reason), {}).setdefault(one.metric, []).append(one.row)
    lines = []
    for (task, reason), by_metric in groups.items():
        concerned = dict.fromkeys(row for rows in by_metric.values() for row in rows)
        lines.append(f"left out: {task}: {', '.join(by_metric)} ({', '.join(concerned)}): {reason}")
    return lines
