"""Training curves of a sweep: those of all runs of a stage in one picture."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from launch.loggers.wandb_rows import part_files, read_part
from launch.runs.ledger import Run
from launch.sweeps.differences import differences
from launch.sweeps.plots import LABELLED, PANELS, PLOTS, panels_for, save_figure
from launch.sweeps.record import Sweep
from motiongpt.printable import printable

SHOWN = "val/"
Curve = list[tuple[float, float]]
"""(step, value), rising."""


def draw_curves(sweep: Sweep) -> list[Path]:
    """Write plots/curves_<stage>.png for each stage of which several runs kept validation metrics.

    Read from the files of the loggers `csv` and `wandb`.
    """
    runs = {tuple(names): Run(sweep.root, *names) for one in sweep.points for names in one.stages}
    told = differences(sweep.points)
    drawn = []
    for stage in dict.fromkeys(run.stage for run in runs.values()):
        found = {
            ", ".join(
                f"{key}={value}" for key, value in told.get((stage, run.signature), {}).items()
            )
            or run.signature: curves
            for run in runs.values()
            if run.stage == stage and (curves := curves_of(run))
        }
        if len(found) < 2:
            continue
        names = list(dict.fromkeys(name for curves in found.values() for name in curves))[:PANELS]
        figure, panels = panels_for(names)
        for panel, name in zip(panels, names, strict=True):
            for words, curves in found.items():
                if curve := curves.get(name):
                    panel.plot(*zip(*curve, strict=True), linewidth=1.0, label=printable(words))
            panel.set_xlabel("step", fontsize=8)
        if len(found) <= LABELLED:
            panels[0].legend(fontsize=6, frameon=False)
        drawn.append(save_figure(figure, sweep.folder / PLOTS / f"curves_{stage}.png"))
    return drawn


def _words(differing: Mapping[str, str]) -> str:
    return ", ".join(f"{key}={value}" for key, value in differing.items())


def curves_of(run: Run) -> dict[str, Curve]:
    """Validation metric -> its curve, over all attempts; of a step the last attempt's value."""
    found: dict[str, dict[float, float]] = {}
    for step, name, value in (*_from_csv(run), *_from_wandb(run)):
        if name.startswith(SHOWN):
            found.setdefault(name, {})[step] = value
    return {name: sorted(values.items()) for name, values in found.items()}


def _from_csv(run: Run) -> Iterator[tuple[float, str, float]]:
    for file in sorted((run.folder / "csv").glob("*/metrics.csv")):
        with file.open(encoding="utf-8", newline="") as stream:
            for row in csv.DictReader(stream):
                told = {name: cell for name, cell in row.items() if name and cell}
                step = told.pop("step", None)
                if step is not None:
                    yield from ((float(step), name, float(cell)) for name, cell in told.items())


def _from_wandb(run: Run) -> Iterator[tuple[float, str, float]]:
    for file in part_files(run.folder):
        part = read_part(file)
        for row in part.rows if part is not None else ():
            if row.step is not None:
                yield from (
                    (float(row.step), name, float(value))
                    for name, value in row.values.items()
                    if isinstance(value, int | float)
                )
