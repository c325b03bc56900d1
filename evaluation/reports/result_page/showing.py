"""The clips of a result page: chosen, cut, and packed for the viewer.

Shape letters: T frames.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import numpy as np

from evaluation.case import Case
from evaluation.replications.comparison import HOLD, LINEAR
from evaluation.replications.results import MODEL, REAL
from evaluation.reports.chosen_clips import TaskOutputs, varied, worst
from motiongpt.bodies.free_body import FreeBody
from motiongpt.data.store import MotionStore
from motiongpt.motion.sequence import MotionSequence
from motiongpt.render.shown import Shown
from motiongpt.viewer.body import packed_body
from motiongpt.viewer.clips import packed_clips, packed_skeleton

LONGEST = 200  # frames of a clip that are shown
LARGEST = 17_000_000  # bytes of motion, so that a page stays below 20 MB
COMPLETED = (HOLD, LINEAR)
"""Baselines that are worth looking at beside a completion."""


@dataclass
class Packed:
    """What the page's scripts read of motion.

    Attributes:
        shown: what is said of each clip, and which motions are its own.
        motions: packed, in the order in which `shown` counts them.
        bytes: of the motions, as text.
        without_room: clips that would have made the page too large.
    """

    shown: list[dict[str, Any]] = field(default_factory=list)
    motions: list[dict[str, Any]] = field(default_factory=list)
    bytes: int = 0
    without_room: int = 0

    def add(self, about: dict[str, Any], motions: Sequence[dict[str, Any]]) -> None:
        """Take in one clip, if there is room."""
        size = sum(len(json.dumps(one)) for one in motions)
        if self.bytes + size > LARGEST:
            self.without_room += 1
            return
        self.bytes += size
        first = len(self.motions)
        self.shown.append({**about, "motions": list(range(first, first + len(motions)))})
        self.motions += motions


def packed_outputs(
    outputs: Sequence[TaskOutputs], store: MotionStore, pictures: int, method: str
) -> tuple[dict[str, Any], int]:
    """Data of the page, and how many clips it has no room for.

    Args:
        pictures: clips a task, of different actions as far as possible; the worst come after them.
        method: name that stands above its motions.
    """
    body, found = FreeBody(), Packed()
    first = [(task, index) for task in outputs for index in varied(task.rows[MODEL], pictures)]
    then = [(task, index) for task in outputs for index in worst(task.distances)]
    chosen = {(one.task, index): (one, index) for one, index in [*first, *then]}.values()
    motions = [list(_motions(task, index, store, method)) for task, index in chosen]
    packed = iter(packed_clips([one for some in motions for one in some], body))
    for (task, index), some in zip(chosen, motions, strict=True):
        found.add(_about(task, index), list(islice(packed, len(some))))
    order = {one.task: number for number, one in enumerate(outputs)}
    found.shown.sort(key=lambda clip: order[clip["task"]])
    worn = any(one["body"] for one in found.motions)
    data = {
        "skeletons": {store.skeleton.name: packed_skeleton(store.skeleton)},
        "body": packed_body(body) if worn else None,
        "clips": found.motions,
        "shown": found.shown,
        "tasks": [_task(one) for one in outputs],
    }
    return data, found.without_room


def _task(one: TaskOutputs) -> dict[str, Any]:
    distances = one.distances
    measured = None if distances is None else {"label": distances.label, "unit": distances.unit}
    return {"name": one.task, "title": title_of(one.task), "distance": measured}


def title_of(task: str) -> str:
    """A task's name as words."""
    return task.replace("_", " ")


def _about(one: TaskOutputs, index: int) -> dict[str, Any]:
    case = one.rows[MODEL][index]
    value = None if one.distances is None else float(one.distances.values[index])
    return {
        "task": one.task,
        "clip": case.name,
        "actions": list(case.labels),
        "caption": case.caption or (case.captions[0] if case.captions else ""),
        "captions": list(case.captions),
        "said": [["the method wrote", case.text]] if case.text else [],
        "distance": value if value is not None and np.isfinite(value) else None,
    }


def _motions(one: TaskOutputs, index: int, store: MotionStore, method: str) -> Iterator[Shown]:
    """The real clip, what the method made of it, and simple completions; those that have frames."""
    names: Mapping[str, str] = {REAL: REAL, MODEL: method, **{row: row for row in COMPLETED}}
    for row, name in names.items():
        case = one.rows[row][index] if row in one.rows else None
        if case is None or (row == MODEL and case.text) or not len(case.joints):
            continue
        yield Shown(_cut(case, store, given=row != REAL), name, caption="")


def _cut(case: Case, store: MotionStore, given: bool) -> MotionSequence:
    joints = case.joints[:LONGEST]
    marks = np.zeros(len(joints), bool)
    if given:
        marks[: len(case.given)] = case.given[: len(joints)]
    return MotionSequence(joints, store.fps, (), store.skeleton, marks)
