"""A table with groups of rows: the published numbers, then ours, one group a protocol."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from evaluation.leaderboard.published import Column, PublishedTable
from evaluation.leaderboard.quantity import Quantity
from evaluation.leaderboard.verdict import Verdict
from evaluation.results_file import ResultsFile

RowKind = Literal["published", "independent", "own"]


@dataclass(frozen=True)
class Cell:
    """One number of a row.

    Attributes:
        verdict: on a number of ours; None for published ones and where there is no counterpart.
        best: of its column within its group; never real motion.
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

    def verdicts(self) -> dict[str, list[str]]:
        """Words of a verdict -> keys of the columns that got it."""
        found: dict[str, list[str]] = {}
        for key, cell in self.cells.items():
            if cell.verdict is not None:
                found.setdefault(str(cell.verdict), []).append(key)
        return found


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

    def verdict_words(self, row: Row) -> str:
        """All verdicts on a row of ours in one line; a verdict on all numbers needs no list."""
        titles = {column.key: column_title(column) for column in self.columns}
        found = row.verdicts()
        judged = sum(map(len, found.values()))
        return "; ".join(
            words if len(keys) == judged else f"{words} ({', '.join(titles[k] for k in keys)})"
            for words, keys in found.items()
        )


def column_title(column: Column, with_unit: bool = False) -> str:
    """Its title with the group in front, if it has one, and the unit behind."""
    title = f"{column.group} {column.title}" if column.group else column.title
    return f"{title} ({column.unit})" if with_unit and column.unit else title
