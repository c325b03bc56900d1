"""A picture of the ratios: how many times as fast each of our ways is."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from evaluation.speed.results import PartResult
from motiongpt.files import save_with

COLOURS = {"float32": "#4477aa", "bfloat16": "#228833"}


def save_chart(path: Path, results: Sequence[PartResult]) -> None:
    """One bar a way, with the range of its runs; a small line where the goal is."""
    bars = [
        (result, one, ratio)
        for result in results
        for one in result.sides
        if (ratio := result.ratio(one)) is not None
    ]
    figure = Figure(figsize=(8, 1.2 + 0.4 * len(bars)), layout="constrained")
    axes = figure.subplots()
    for place, (result, one, ratio) in enumerate(bars):
        low, high = result.ratio_range(one) or (ratio, ratio)
        errors = [[max(0.0, ratio - low)], [max(0.0, high - ratio)]]
        axes.barh(place, ratio, color=COLOURS[one.side.dtype], xerr=errors, ecolor="#555555")
        axes.annotate(
            f"{ratio:.1f}",
            (max(ratio, high), place),
            (4, 0),
            textcoords="offset points",
            va="center",
        )
        if (goal := result.goal(one)) and goal.ratio:
            axes.vlines(goal.ratio, place - 0.4, place + 0.4, colors="#cc3311")
    axes.axvline(1, color="#000000", linewidth=0.8)
    axes.set_yticks(
        range(len(bars)),
        [
            f"{result.name}{', GPU' if result.device == 'cuda' else ''}: {one.side.name}"
            for result, one, _ in bars
        ],
    )
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlabel("times as fast as the original's way; red: goal at size base")
    save_with(path, lambda name: figure.savefig(name, dpi=120), suffix=".png")
