"""Pictures and one page of an evaluation, so that a person can judge it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from evaluation.case import Case
from evaluation.replications.comparison import HOLD, LINEAR
from evaluation.replications.results import MODEL, REAL, Result, table_cells
from motiongpt.data.store import MotionStore
from motiongpt.render.animation import render_animation
from motiongpt.render.page import Cell, Row, Section, write_page

Shown = Mapping[str, Mapping[str, Sequence[Case]]]  # task -> row -> cases
SIZE = 280
LONGEST = 200  # frames of a clip that are drawn


def draw_gallery(
    folder: Path,
    shown: Shown,
    results: Sequence[Result],
    store: MotionStore,
    pictures: int,
    method: str,
    signature: str,
    log: Callable[[str], None],
) -> None:
    """Write `pictures/*.webp` and `page.html` into `folder`.

    Args:
        shown: task -> row -> cases, all rows over the same clips.
        pictures: clips a task that are drawn, of different actions as far as possible.
        method: name of the method that is evaluated.
        signature: of the run.
    """
    sections = []
    for task, by_row in shown.items():
        chosen = varied(by_row[MODEL], pictures)
        log(f"  evaluate: drawing {len(chosen)} clips of {task}")
        rows = [_row(Path(folder), task, by_row, index, store) for index in chosen]
        sections.append(Section(task.replace("_", " "), _note(by_row), rows))
    summary = (
        f"{store.name}, {len(store)} clips; data {store.fingerprint[:12]}, signature "
        f"{signature}. Muted frames were given to the method."
    )
    write_page(
        Path(folder) / "page.html",
        f"{method} on {store.name}",
        summary,
        table_cells(results, method),
        sections,
    )


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


def _note(by_row: Mapping[str, Sequence[Case]]) -> str:
    others = [row for row in by_row if row not in (MODEL, REAL)]
    return f"The method beside the real clip; for comparison in the table: {', '.join(others)}."


def _row(
    folder: Path, task: str, by_row: Mapping[str, Sequence[Case]], index: int, store: MotionStore
) -> Row:
    model, real = by_row[MODEL][index], by_row[REAL][index]
    cells = [_drawn(folder, task, REAL, real, model, store)]
    if model.text or not len(model.features):
        cells.append(Cell("what people wrote", text="\n".join(model.captions)))
        cells.append(Cell("what the method generated", text=model.text or "nothing"))
    else:
        cells.append(_drawn(folder, task, MODEL, model, real, store))
        for row, cases in by_row.items():
            if row in (HOLD, LINEAR):
                cells.append(_drawn(folder, task, row, cases[index], real, store))
    return Row(model.captions[0] if model.captions else model.name, cells)


def _drawn(folder: Path, task: str, row: str, case: Case, beside: Case, store: MotionStore) -> Cell:
    if not len(case.joints):
        return Cell(row, text="no motion was generated")
    joints = case.joints[:LONGEST]
    given = np.zeros(len(joints), bool)
    given[: len(case.given)] = case.given[: len(joints)]
    name = "".join(letter if letter.isalnum() else "-" for letter in f"{task}-{case.name}-{row}")
    path = folder / "pictures" / f"{name}.webp"
    render_animation(
        joints,
        store.skeleton,
        path,
        given=given if row != REAL else None,
        size=SIZE,
        fps=store.fps,
        beside=beside.joints[:LONGEST] if len(beside.joints) else None,
    )
    return Cell(row, image=path)
