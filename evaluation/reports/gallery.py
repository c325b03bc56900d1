"""Pictures and one page of an evaluation, so that a person can judge it."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from evaluation.case import Case
from evaluation.replications.comparison import CHANCE, MODEL, REAL
from evaluation.replications.results import Result, table_cells
from motiongpt.data.store import MotionStore
from motiongpt.render.page import Cell, Row, Section, write_page
from motiongpt.render.stick_figure import render_animation

Answers = Mapping[str, Mapping[str, Sequence[Case]]]
SIZE = 280
LONGEST = 200  # frames of a clip that are drawn


def draw_gallery(
    folder: Path,
    answers: Answers,
    results: Sequence[Result],
    store: MotionStore,
    pictures: int,
    say: Callable[[str], None],
) -> None:
    """Write `pictures/*.webp` and `page.html` into `folder`.

    Args:
        answers: task -> method -> cases, all methods over the same clips.
        pictures: clips a task that are drawn, of different actions as far as possible.
    """
    sections = []
    for task, by_method in answers.items():
        chosen = varied(by_method[MODEL], pictures)
        say(f"  evaluate: drawing {len(chosen)} clips of {task}")
        rows = [_row(Path(folder), task, by_method, place, store) for place in chosen]
        sections.append(Section(task.replace("_", " "), _note(by_method), rows))
    summary = (
        f"{store.name}, {len(store)} clips; data {store.fingerprint[:12]}, signature "
        f"{Path(folder).name}. Muted frames were given to the model."
    )
    write_page(
        Path(folder) / "page.html",
        f"Evaluation on {store.name}",
        summary,
        table_cells(results),
        sections,
    )


def varied(cases: Sequence[Case], count: int) -> list[int]:
    """Places of `count` cases, those with labels not seen before first."""
    seen: set[tuple[str, ...]] = set()
    first: list[int] = []
    later: list[int] = []
    for place, case in enumerate(cases):
        (later if case.labels in seen else first).append(place)
        seen.add(case.labels)
    spread = [first[i] for i in np.linspace(0, len(first) - 1, min(count, len(first))).astype(int)]
    return (spread + later)[:count]


def _note(by_method: Mapping[str, Sequence[Case]]) -> str:
    others = [method for method in by_method if method not in (MODEL, REAL)]
    return f"The model beside the real clip; for comparison in the table: {', '.join(others)}."


def _row(
    folder: Path, task: str, by_method: Mapping[str, Sequence[Case]], place: int, store: MotionStore
) -> Row:
    model, real = by_method[MODEL][place], by_method[REAL][place]
    cells = [_drawn(folder, task, "real", real, model, store)]
    if model.text or not len(model.features):
        cells.append(Cell("what people wrote", text="\n".join(model.captions)))
        cells.append(Cell("what the model wrote", text=model.text or "nothing"))
    else:
        cells.append(_drawn(folder, task, "model", model, real, store))
        for method, cases in by_method.items():
            if method not in (MODEL, REAL, CHANCE) and model.given.any():
                cells.append(_drawn(folder, task, method, cases[place], real, store))
    return Row(model.captions[0] if model.captions else model.name, cells)


def _drawn(
    folder: Path, task: str, method: str, case: Case, beside: Case, store: MotionStore
) -> Cell:
    if not len(case.joints):
        return Cell(method, text="no motion was written")
    joints = case.joints[:LONGEST]
    given = np.zeros(len(joints), bool)
    given[: len(case.given)] = case.given[: len(joints)]
    name = "".join(letter if letter.isalnum() else "-" for letter in f"{task}-{case.name}-{method}")
    path = folder / "pictures" / f"{name}.webp"
    render_animation(
        joints,
        store.skeleton,
        path,
        given=given if method != "real" else None,
        size=SIZE,
        fps=store.fps,
        beside=beside.joints[:LONGEST] if len(beside.joints) else None,
    )
    return Cell(method, image=path)
