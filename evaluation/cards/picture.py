"""A card as bars: what each change of real motion costs it in the eyes of each judge."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from evaluation.cards.card import COLUMNS, Card
from evaluation.cards.measure import ACCURACY, AGAIN, value_of
from evaluation.replications.another_sample import ANOTHER_SAMPLE
from evaluation.replications.results import REAL
from motiongpt.files import save_with

SHOWN = ("r_top1", "fid", ACCURACY)
COLOURS = {True: "#4c72b0", False: "#c44e52"}  # of real motion, of changed motion
# Where the dotted line stands: at this share of the number of a row. A judge that sees a change
# leaves a fifth of real motion's at most.
MARKS = {
    "": (REAL, 0.2, "dotted: a fifth of real's"),
    "fid": (ANOTHER_SAMPLE, 1.0, "dotted: of another real sample"),
}


def draw_card(card: Card, path: Path) -> None:
    """Write a PNG with one panel for each of R@1, FID and right action that the card has."""
    names = [name for name in SHOWN if name in card.metrics]
    if not names:
        return
    height = 1.2 + 0.32 * len(card.rows)
    figure = Figure(figsize=(3.0 + 3.0 * len(names), height), layout="constrained", dpi=110)
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for panel, name in zip(panels, names, strict=True):
        _bars(panel, card, name)
    panels[0].set_yticks(range(len(card.rows)), card.rows)
    panels[0].invert_yaxis()
    save_with(Path(path), lambda file: figure.savefig(file, format="png"), suffix=".png")


def _bars(panel: Axes, card: Card, name: str) -> None:
    found = [value_of(card.results, row, name) for row in card.rows]
    for position, (row, result) in enumerate(zip(card.rows, found, strict=True)):
        if result is None:
            continue
        panel.barh(
            position,
            result.value,
            xerr=result.interval,
            color=COLOURS[row in (REAL, AGAIN, ANOTHER_SAMPLE)],
            height=0.7,
        )
        digits = 1 if abs(result.value) >= 10 else 2
        panel.annotate(
            f" {result.value:.{digits}f}",
            (result.value + (result.interval or 0.0), position),
            va="center",
            fontsize=7,
        )
    panel.set_title(COLUMNS[name], fontsize=10)
    panel.margins(x=0.15)
    panel.tick_params(labelsize=8)
    if name == "fid":  # from hundredths to hundreds
        panel.set_xscale("symlog", linthresh=1)
    row, factor, said = MARKS["fid" if name == "fid" else ""]
    if (mark := value_of(card.results, row, name)) is not None:
        panel.axvline(factor * mark.value, color="0.4", linestyle=":", linewidth=1)
        panel.set_xlabel(said, fontsize=7)
    panel.spines[["top", "right"]].set_visible(False)
