"""Which clips of an evaluation a person is shown: of many actions, and the worst."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from evaluation.case import Case
from evaluation.replications.clip_distances import ClipDistances

WORST = 10


class TaskOutputs(NamedTuple):
    """What there is to show of one task.

    Attributes:
        task: its name.
        rows: row -> cases, all rows over the same clips.
        distances: of the method's outputs; None where none can be had of a single clip.
    """

    task: str
    rows: Mapping[str, Sequence[Case]]
    distances: ClipDistances | None = None


def varied(cases: Sequence[Case], count: int) -> list[int]:
    """Indices of `count` cases, those with labels not seen before first."""
    seen: set[tuple[str, ...]] = set()
    first: list[int] = []
    later: list[int] = []
    for index, case in enumerate(cases):
        (later if case.labels in seen else first).append(index)
        seen.add(case.labels)
    spread = [first[i] for i in np.linspace(0, len(first) - 1, min(count, len(first))).astype(int)]
    return (spread + later)[:count]


def worst(distances: ClipDistances | None, count: int = WORST) -> list[int]:
    """Indices of the `count` clips that are farthest away, the farthest first."""
    if distances is None:
        return []
    order = np.argsort(-np.nan_to_num(distances.values, nan=-np.inf), kind="stable")
    return [int(i) for i in order[:count] if np.isfinite(distances.values[i])]
