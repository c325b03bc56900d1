"""Published tables, with the protocol behind their numbers as far as it is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from evaluation.leaderboard.quantity import Quantity
from evaluation.metrics.numbers import Better
from evaluation.replications.results import REAL

METHOD = "method"
"""Fact of every run of ours, and key of every `match`: the name of its method."""


@dataclass(frozen=True)
class PublishedProtocol:
    """How published numbers were made, as far as is known; what is empty is not known.

    Attributes:
        data, split: whose clips.
        names: protocols of conf/protocol, any of which may have made them.
        evaluator, words: names of the embedding network and of its word vectors.
        references: captions as people wrote them (raw) or as the data set processed them (token).
        sentences: how they are prepared for the caption metrics, raw or normalised.
        clips: how many were scored.
        replications: that a number of ours needs at least.
        given: what of a motion was given, where a task has several ways.
    """

    data: str = ""
    split: str = ""
    names: tuple[str, ...] = ()
    evaluator: str = ""
    words: str = ""
    references: str = ""
    sentences: str = ""
    clips: int | None = None
    replications: int = 1
    given: str = ""

    @property
    def label(self) -> str:
        """What a reader of a table must know, in one line; the clips stand beside each row."""
        parts = [
            f"data {self.data}" if self.data else "",
            f"{self.split} split" if self.split else "",
            f"protocol {' or '.join(self.names)}" if self.names else "",
            f"evaluator {self.evaluator}" if self.evaluator else "",
            f"given: {self.given}" if self.given else "",
            f"{self.references} references" if self.references else "",
            f"{self.replications} replications" if self.replications > 1 else "",
        ]
        return " · ".join(part for part in parts if part) or "protocol not known"


@dataclass(frozen=True)
class Column:
    """One metric of one task.

    Attributes:
        key: by which the rows name it.
        task, metric: our names.
        title: as the paper prints it.
        better: which way is better; "real": nearer to the row of real motion.
        unit: of the published numbers; ours are converted.
        group: title over several columns, or empty.
        real: value of real motion, where the table prints no row of it.
    """

    key: str
    task: str
    metric: str
    title: str
    better: Better
    unit: str = ""
    group: str = ""
    real: Quantity | None = None


@dataclass(frozen=True)
class PublishedRow:
    """One method's numbers.

    Attributes:
        method: as printed.
        numbers: column key -> number.
        source: where it was read, a key of the table's sources.
        setting: what tells it from other rows of the method: a value of the table's axis, or words.
        role: "real" for real motion, else empty.
        match: facts of our runs that this row is the counterpart of, `method` among them; None for
            methods that are not ours.
        otherwise: whether it is also the counterpart of runs of its method that no row matches.
        series: name of the polygon that it adds to in the radar chart, or empty.
        by: who re-evaluated a released checkpoint; empty for the authors.
        secondary: whether the source only repeats it: the method's own paper was not read.
    """

    method: str
    numbers: Mapping[str, Quantity]
    source: str
    protocol: PublishedProtocol
    setting: str = ""
    role: str = ""
    match: Mapping[str, Sequence[str]] | None = None
    otherwise: bool = False
    series: str = ""
    by: str = ""
    secondary: bool = False
    note: str = ""


@dataclass(frozen=True)
class PublishedTable:
    """One table of a paper.

    Attributes:
        name: of the study's folder.
        sources: key -> where it was read.
        where: facts that a run of ours must have to be shown here.
        axis: the fact that varies from row to row, or empty.
        axis_title: head of its column.
        at_least: values of it that a sweep of ours must have to be shown here.
        facts: lines to be shown below the table.
    """

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[PublishedRow]
    sources: Mapping[str, str]
    protocol: PublishedProtocol
    note: str = ""
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)
    axis: str = ""
    axis_title: str = ""
    at_least: int = 1
    facts: Sequence[str] = ()

    def real(self, column: Column) -> Quantity | None:
        """Value of real motion, or None where the paper gives none."""
        rows = [row.numbers[column.key] for row in self.rows if self._is_real(row, column)]
        return rows[0] if rows else column.real

    def decimals(self, key: str) -> int:
        """Digits behind the point for numbers of ours: the most that the column prints."""
        printed = [row.numbers[key].decimals or 0 for row in self.rows if key in row.numbers]
        return max(printed, default=3)

    def row_label(self, row: PublishedRow) -> str:
        """Method and setting of a row in one line, as `MotionGPT, K 512`."""
        setting = f"{self.axis_title} {row.setting}".strip() if row.setting else ""
        second = "read in a secondary source" if row.secondary else ""
        words = (row.method, setting, row.by and f"by {row.by}", second)
        return ", ".join(word for word in words if word)

    @staticmethod
    def _is_real(row: PublishedRow, column: Column) -> bool:
        return row.role == REAL and column.key in row.numbers
