"""A table with groups of rows: the published numbers, then ours, one group a protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from evaluation.leaderboard.judgement import Judgement, column_title, in_words, judgements
from evaluation.leaderboard.published import Column, PublishedTable
from evaluation.leaderboard.quantity import Quantity
from evaluation.leaderboard.verdict import MODEL, Verdict
from evaluation.reports.results_file import ResultsFile

RowKind = Literal["published", "independent", "own"]


@dataclass(frozen=True)
class Cell:
    """One number of a row.

    Attributes:
        verdict: on a number of ours; None for published ones and where there is no counterpart.
        best: of its column within its group; see `Row.competes`.
        unit: where it is another than the column's, else empty.
    """

    quantity: Quantity
    verdict: Verdict | None = None
    best: bool = False
    unit: str = ""

    def text(self, decimals: int) -> str:
        """Value, interval, and the unit where it is not the column's."""
        said = self.quantity.text(decimals)
        return f"{said} {self.unit}" if self.unit else said


@dataclass(frozen=True)
class Row:
    """One method.

    Attributes:
        cells: column key -> cell; a missing key was not measured.
        real: whether this is real motion.
        source: where it was read, or the signature of the run.
        series: of the radar chart.
        run: behind a row of ours.
        method: our name of it: "model", "real" or a baseline; empty for published rows.
    """

    label: str
    kind: RowKind
    cells: Mapping[str, Cell]
    real: bool = False
    source: str = ""
    note: str = ""
    series: str = ""
    run: ResultsFile | None = None
    method: str = ""

    @property
    def competes(self) -> bool:
        """Whether it may be the best: real motion and our baselines can't."""
        return not self.real and self.method in ("", MODEL)


@dataclass(frozen=True)
class Group:
    """Rows whose numbers were made the same way; `label` says how."""

    title: str
    label: str
    rows: Sequence[Row]


@dataclass(frozen=True)
class Table:
    """What the writers write."""

    published: PublishedTable
    groups: Sequence[Group]

    @property
    def columns(self) -> Sequence[Column]:
        """Of all groups."""
        return self.published.columns

    def judgements(self, row: Row) -> list[Judgement]:
        """All verdicts on a row of ours, by kind."""
        cells = {column: row.cells.get(column.key) for column in self.columns}
        return judgements(
            {
                column_title(column): cell.verdict
                for column, cell in cells.items()
                if cell is not None and cell.verdict is not None
            }
        )

    def verdict_words(self, row: Row) -> str:
        """The same in one line."""
        return in_words(self.judgements(row))
