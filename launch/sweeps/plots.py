"""Pictures of a sweep: numbers against each option that differs, and against what a model costs.

A point is one experiment; a bar is Student's t over training seeds, where there are several.
"""

from collections.abc import Sequence
from math import log2
from pathlib import Path
from statistics import mean

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from launch.sweeps.costs import Cost, cost_of
from launch.sweeps.record import Sweep
from launch.sweeps.seed_table import SEED, SeedTable
from launch.sweeps.table import SweepRow, SweepTable
from motiongpt.files import save_with
from motiongpt.printable import printable

PANELS, LABELLED = 6, 8
PLOTS = "plots"
Others = tuple[tuple[str, str], ...]
"""Options but for one, with their values."""


def draw_options(sweep: Sweep, table: SweepTable, joined: SeedTable) -> list[Path]:
    """Write plots/<option>.png for each option but the seed: a panel for each number of `table`.

    Returns:
        The files; none where nothing differs or nothing has come of it.
    """
    drawn = []
    for axis in (axis for axis in table.axes if axis != SEED):
        metrics = [name for name in table.metrics if len(values_of(table, axis, name)) > 1]
        if not metrics:
            continue
        figure, panels = panels_for(metrics[:PANELS])
        for panel, name in zip(panels, metrics, strict=False):
            _against(panel, table, joined, axis, name)
            panel.set_xlabel(printable(axis), fontsize=8)
        drawn.append(save_figure(figure, sweep.folder / PLOTS / f"{_file_name(axis)}.png"))
    return drawn


def draw_costs(sweep: Sweep, table: SweepTable) -> list[Path]:
    """Write plots/cost.png: numbers against minutes of training and parameters of the model.

    Returns:
        The file; none where fewer than two experiments have both.
    """
    words = [
        {f"{axis}={point[axis]}": None for axis in table.axes if axis != SEED and axis in point}
        for point, *_ in table.rows
    ]
    costs = [cost_of(sweep, signature) for _, _, signature, _ in table.rows]
    metrics = [name for name in table.metrics if sum(name in row[3] for row in table.rows) > 1]
    if len({cost for cost in costs if cost is not None}) < 2 or not metrics:
        return []
    metrics = metrics[: PANELS // 2]
    figure, panels = panels_for([name for name in metrics for _ in range(2)])
    for place, name in enumerate(metrics):
        for panel, (quantity, what) in zip(
            panels[2 * place : 2 * place + 2], Cost.QUANTITIES.items(), strict=True
        ):
            found = [
                (getattr(cost, quantity), row[3][name], ", ".join(told))
                for cost, row, told in zip(costs, table.rows, words, strict=True)
                if cost is not None and name in row[3]
            ]
            _scattered(panel, found)
            panel.set_xlabel(what, fontsize=8)
    return [save_figure(figure, sweep.folder / PLOTS / "cost.png")]


def panels_for(titles: Sequence[str]) -> tuple[Figure, list[Axes]]:
    """A figure with a panel for each title, three in a row."""
    columns = min(3, len(titles))
    rows = -(-len(titles) // columns)
    figure = Figure(figsize=(3.6 * columns, 2.8 * rows), layout="constrained", dpi=110)
    FigureCanvasAgg(figure)
    panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for panel, title in zip(panels, titles, strict=False):
        panel.set_title(printable(title), fontsize=9)
        panel.tick_params(labelsize=7)
        panel.spines[["top", "right"]].set_visible(False)
    for panel in panels[len(titles) :]:
        panel.set_axis_off()
    return figure, panels[: len(titles)]


def save_figure(figure: Figure, path: Path) -> Path:
    """Write a PNG whole or not at all; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_with(path, lambda file: figure.savefig(file, format="png"), suffix=".png")
    return path


def _against(panel: Axes, table: SweepTable, joined: SeedTable, axis: str, name: str) -> None:
    """One line for each combination of the other options; points where values have no order."""
    values = values_of(table, axis, name)
    places, style = places_of(values), "o-" if numbers_of(values) else "o"
    groups: dict[Others, list[SweepRow]] = {}
    for row in table.rows:
        if name in row[3]:
            groups.setdefault(_others(row[0], axis), []).append(row)
    for number, (others, rows) in enumerate(groups.items()):
        colour = f"C{number % 10}"
        found = sorted((places[str(row[0].get(axis))], row[3][name]) for row in rows)
        means = {
            place: mean(value for other, value in found if other == place) for place, _ in found
        }
        told = ", ".join(f"{key}={value}" for key, value in others)
        panel.plot(list(means), list(means.values()), style, color=colour, markersize=4, label=told)
        panel.plot(*zip(*found, strict=True), ".", color=colour, alpha=0.4, markersize=3)
        for point, _, metric, spread in joined.rows:
            if metric == name and _others(point, axis) == others:
                place = places[str(point.get(axis))]
                panel.errorbar(place, spread.mean, spread.interval or 0.0, color=colour, capsize=2)
    turned = 45 if max(map(len, values)) > 6 else 0
    panel.set_xticks(list(places.values()), [printable(one) for one in places], rotation=turned)
    if 1 < len(groups) <= LABELLED:
        panel.legend(fontsize=6, frameon=False)


def _scattered(panel: Axes, found: Sequence[tuple[float, float, str]]) -> None:
    for number, told in enumerate(dict.fromkeys(words for *_, words in found)):
        some = [(x, y) for x, y, words in found if words == told]
        panel.plot(*zip(*some, strict=True), "o", color=f"C{number % 10}", markersize=4, label=told)
    panel.set_xscale("log")
    if 1 < len({told for *_, told in found}) <= LABELLED:
        panel.legend(fontsize=6, frameon=False)


def values_of(table: SweepTable, axis: str, name: str) -> list[str]:
    """Values of an option that have this number: by size where they are numbers."""
    found = dict.fromkeys(str(row[0].get(axis)) for row in table.rows if name in row[3])
    try:
        return sorted(found, key=float)
    except ValueError:
        return list(found)


def places_of(values: Sequence[str]) -> dict[str, float]:
    """Where each value stands: doublings as far apart as doublings, other things evenly."""
    numbers = numbers_of(values)
    if numbers is None:
        return {value: float(place) for place, value in enumerate(values)}
    scaled = [log2(one) for one in numbers] if min(numbers) > 0 else numbers
    return dict(zip(values, scaled, strict=True))


def numbers_of(values: Sequence[str]) -> list[float] | None:
    """The values as numbers; None where one is a word, so that they have no order."""
    try:
        return [float(value) for value in values]
    except ValueError:
        return None


def _others(point: dict[str, str], axis: str) -> Others:
    return tuple((key, value) for key, value in point.items() if key not in (axis, SEED))


def _file_name(axis: str) -> str:
    return "".join(one if one.isalnum() or one in "._-" else "_" for one in axis)
