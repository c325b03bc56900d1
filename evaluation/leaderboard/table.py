"""A table with groups of rows: the published numbers, then ours, one group a protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from evaluation.leaderboard.judgement import Judgement, column_title, in_words, judgements
from evaluation.leaderboard.published import Column, PublishedTable
from evaluation.leaderboard.quantity import Quantity
from evaluation.leaderboard.verdict import Verdict
from evaluation.replications.intervals import SeedSpread
from evaluation.replications.results import MODEL
from evaluation.reports.results_file import ResultsFile

RowKind = Literal["published", "independent", "own"]


@dataclass(frozen=True)
class Cell:
    """One number of a row.

    Attributes:
        verdict: on a number of ours; None for published ones and where there is no counterpart.
        best: of its column within its group; see `Row.competes`.
        unit: where it is another than the column's, else empty.
        spread: of a number that was joined over training seeds: `quantity` has its mean and
            Student's t interval over them.
    """

    quantity: Quantity
    verdict: Verdict | None = None
    best: bool = False
    unit: str = ""
    spread: SeedSpread | None = None

    def text(self, decimals: int) -> str:
        """Value, interval, and the unit where it is not the column's."""
        said = self.quantity.text(decimals)
        return f"{said} {self.unit}" if self.unit else said


@dataclass(frozen=True)
class Row:
    """One method, real motion or a baseline.

    Attributes:
        method: its name, in the first column.
        cells: column key -> cell; a missing key was not measured.
        setting: what tells it from other rows of the method; the value of the table's axis, if it
            has one.
        real: whether this is real motion.
        source: where it was read, or the signature of the run.
        secondary: whether that source only repeats it.
        run: behind a row of ours.
        name: of a row of ours in the run's results: "model", "real" or a baseline; else empty.
    """

    method: str
    kind: RowKind
    cells: Mapping[str, Cell]
    setting: str = ""
    real: bool = False
    source: str = ""
    secondary: bool = False
    note: str = ""
    run: ResultsFile | None = None
    name: str = ""

    @property
    def label(self) -> str:
        """Method and setting in one line."""
        return f"{self.method} ({self.setting})" if self.setting else self.method

    @property
    def competes(self) -> bool:
        """Whether it may be the best: real motion and our baselines can't."""
        return not self.real and self.name in ("", MODEL)


@dataclass(frozen=True)
class Group:
    """Rows whose numbers were made the same way; `label` says how, `ranking` what of the order of
    our models is open."""

    title: str
    label: str
    rows: Sequence[Row]
    ranking: str = ""


@dataclass(frozen=True)
class Table:
    """What the writers write."""

    published: PublishedTable
    groups: Sequence[Group]

    @property
    def columns(self) -> Sequence[Column]:
        """Of all groups."""
        return self.published.columns

    @property
    def setting_title(self) -> str:
        """Head of the second column, or empty where no row has a setting and there is none."""
        if any(row.setting for group in self.groups for row in group.rows):
            return self.published.axis_title or "Setting"
        return ""

    def judgements(self, row: Row) -> list[Judgement]:
        """All verdicts on a row of ours, by outcome."""
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
