"""The experiments of a sweep that differ in their training seed alone, joined.

How far another training moves a number, and how far other draws of one model do, are columns apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.replications.intervals import SeedSpread
from evaluation.reports.results_file import RESULTS, read_results
from launch.runs.ledger import Run
from launch.runs.records import say_once
from launch.sweeps.record import Sweep
from launch.sweeps.table import SweepRow, SweepTable, csv_of, markdown_of, shown
from launch.tables import text_table
from motiongpt.errors import UserError

SEED = "seed"
COLUMNS = (
    "metric",
    "mean",
    "training seeds",
    "standard deviation",
    "± (Student's t)",
    "± replications of one model",
)


@dataclass(frozen=True)
class SeedTable:
    """Results joined over training seeds, one line a number.

    Attributes:
        axes: overrides that not all experiments share, without the seed.
        rows: (overrides, stage, metric, spread) of each number that a seed moves.
    """

    axes: list[str]
    rows: list[tuple[dict[str, str], str, str, SeedSpread]]

    def columns(self) -> list[str]:
        """All headings."""
        return [*self.axes, "stage", *COLUMNS]

    def cells(self) -> list[list[str | float | None]]:
        """All rows; None where there is no such number."""
        return [
            [
                *(point.get(axis) for axis in self.axes),
                stage,
                metric,
                spread.mean,
                str(len(spread.values)),
                spread.deviation,
                spread.interval,
                spread.replications,
            ]
            for point, stage, metric, spread in self.rows
        ]

    def only(self, metrics: Sequence[str]) -> "SeedTable":
        """The same with these metrics alone."""
        return SeedTable(self.axes, [row for row in self.rows if row[2] in metrics])

    def as_text(self) -> str:
        """For a terminal."""
        return text_table(self.columns(), [[shown(c) for c in row] for row in self.cells()])

    def as_markdown(self) -> str:
        """For a report."""
        return markdown_of(self.columns(), self.cells())

    def as_csv(self) -> str:
        """With all digits."""
        return csv_of(self.columns(), self.cells())


def seed_table_of(sweep: Sweep, table: SweepTable) -> SeedTable:
    """The finished experiments of `table` joined over `seed`, those of one seed alone left out."""
    axes = [axis for axis in table.axes if axis != SEED]
    groups: dict[tuple[str, ...], list[SweepRow]] = {}
    for row in table.rows if SEED in table.axes else ():
        point, stage, *_ = row
        key = (stage, *(str(point.get(axis)) for axis in axes))
        groups.setdefault(key, []).append(row)
    rows = []
    for members in groups.values():
        # What no seed trains is one run, however many experiments want it.
        models = list({row[2]: row for row in members}.values())
        if len(models) < 2:
            continue
        own = [_intervals(Run(sweep.root, stage, signature)) for _, stage, signature, _ in models]
        shared = set.intersection(*(set(metrics) for *_, metrics in models))
        for metric in (name for name in table.metrics if name in shared):
            values = [metrics[metric] for *_, metrics in models]
            if len(set(values)) > 1:
                spread = SeedSpread.of(values, [one.get(metric) for one in own])
                rows.append((models[0][0], models[0][1], metric, spread))
    return SeedTable(axes, rows)


def _intervals(run: Run) -> dict[str, float | None]:
    """Metric -> its interval over the replications of this model, where it has results."""
    file = run.folder / RESULTS
    if not file.exists():
        return {}
    try:
        found = read_results(file)
    except UserError as error:
        say_once(str(error))
        return {}
    return {f"{one.task}/{one.row}/{one.metric}": one.interval for one in found.results}
