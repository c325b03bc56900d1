"""Published tables: `published.yaml` of a study, with the protocol as far as it is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import yaml

from evaluation.leaderboard.quantity import Quantity, printed_quantity
from evaluation.metrics.base import Better
from motiongpt.errors import UserError

PUBLISHED = "published.yaml"
REAL = "real"


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
        note: one sentence for the reader.
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
    note: str = ""

    @property
    def label(self) -> str:
        """What a reader of a table must know, in one line; the clips stand beside each row."""
        parts = [
            f"data {self.data}" if self.data else "",
            f"{self.split} split" if self.split else "",
            f"protocol {' or '.join(self.names)}" if self.names else "",
            f"evaluator {self.evaluator}" if self.evaluator else "",
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
        numbers: column key -> number.
        source: where it was read, a key of the table's sources.
        role: "real" for real motion, else empty.
        match: settings of our experiments that this row is the counterpart of (empty: of all);
            None for methods that are not ours.
        series: name of the polygon that it adds to in the radar chart, or empty.
        by: who re-evaluated a released checkpoint; empty for the authors.
    """

    method: str
    numbers: Mapping[str, Quantity]
    source: str
    protocol: PublishedProtocol
    role: str = ""
    match: Mapping[str, Sequence[str]] | None = None
    series: str = ""
    by: str = ""
    note: str = ""


@dataclass(frozen=True)
class PublishedTable:
    """One table of a paper.

    Attributes:
        name: of the study's folder.
        method: head of the first column.
        sources: key -> where it was read.
        where: settings that a run of ours must have to be shown here.
        axis: the setting that varies from row to row, or empty.
        at_least: values of it that a sweep of ours must have to be shown here.
        facts: lines to be shown below the table.
    """

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[PublishedRow]
    sources: Mapping[str, str]
    protocol: PublishedProtocol
    method: str = "Method"
    note: str = ""
    where: Mapping[str, Sequence[str]] = field(default_factory=dict)
    axis: str = ""
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

    @staticmethod
    def _is_real(row: PublishedRow, column: Column) -> bool:
        return row.role == REAL and column.key in row.numbers


def find_tables(experiments: Path, names: Sequence[str] = ()) -> list[PublishedTable]:
    """The published tables below `experiments`, in the order of `names` or of the alphabet.

    Raises:
        UserError: a table that does not exist, or a broken file.
    """
    files = {file.parent.name: file for file in sorted(Path(experiments).glob(f"*/{PUBLISHED}"))}
    if unknown := [name for name in names if name not in files]:
        raise UserError(f"{unknown[0]}: no such table; valid: {', '.join(files)}")
    return [read_published(files[name]) for name in names or files]


def read_published(path: Path) -> PublishedTable:
    """Read one file.

    Raises:
        UserError: not YAML, or a key that is missing, unknown or of the wrong kind; names both.
    """
    try:
        # BaseLoader keeps numbers as printed: the digits of 0.160 say how far it was rounded.
        found = yaml.load(Path(path).read_text(), Loader=yaml.BaseLoader)
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise UserError(f"{path}: not YAML ({' '.join(str(error).split())})") from error
    found = _checked(
        found,
        path,
        "the whole file",
        ("title", "columns", "rows", "sources", "protocol"),
        ("method", "note", "where", "axis", "at_least", "facts", "independent"),
    )
    protocol = _protocol(PublishedProtocol(), found["protocol"], path, "protocol")
    columns = [_column(column, path, i) for i, column in enumerate(found["columns"])]
    keys = [column.key for column in columns]
    rows = [
        _row(row, protocol, keys, found["sources"], path, f"{block}[{i}]")
        for block in ("rows", "independent")
        for i, row in enumerate(found.get(block, []))
    ]
    return PublishedTable(
        name=Path(path).parent.name,
        title=found["title"],
        columns=columns,
        rows=rows,
        sources=found["sources"],
        protocol=protocol,
        method=found.get("method", "Method"),
        note=found.get("note", ""),
        where=_values(found.get("where", {})),
        axis=found.get("axis", ""),
        at_least=_count(found.get("at_least", "1"), f"{path}: at_least"),
        facts=found.get("facts", []),
    )


def _checked(
    found: Any, path: Path, where: str, needed: Sequence[str], may: Sequence[str]
) -> dict[str, Any]:
    if not isinstance(found, Mapping):
        raise UserError(f"{path}: {where}: keys with values are needed, not {found!r}")
    if missing := [key for key in needed if key not in found]:
        raise UserError(f"{path}: {where}: {missing[0]} is missing")
    if unknown := [key for key in found if key not in (*needed, *may)]:
        valid = ", ".join((*needed, *may))
        raise UserError(f"{path}: {where}: {unknown[0]}: no such key; valid: {valid}")
    return dict(found)


def _column(found: Any, path: Path, place: int) -> Column:
    where = f"columns[{place}]"
    needed = ("key", "task", "metric", "title", "better")
    found = _checked(found, path, where, needed, ("unit", "group", "real"))
    if found["better"] not in ("lower", "higher", REAL):
        raise UserError(f"{path}: {where}.better: {found['better']}: lower, higher or real")
    if "real" in found:
        found["real"] = printed_quantity(found["real"], f"{path}: {where}.real")
    return Column(**found)


def _protocol(base: PublishedProtocol, found: Any, path: Path, where: str) -> PublishedProtocol:
    valid = [field.name for field in fields(PublishedProtocol)]
    found = _checked(found, path, where, (), valid)
    if "names" in found:
        found["names"] = tuple(found["names"])
    for key in ("clips", "replications"):
        if key in found:
            found[key] = _count(found[key], f"{path}: {where}.{key}")
    return replace(base, **found)


def _row(
    found: Any,
    protocol: PublishedProtocol,
    keys: Sequence[str],
    sources: Mapping[str, str],
    path: Path,
    where: str,
) -> PublishedRow:
    may = ("role", "match", "series", "by", "note", "protocol")
    found = _checked(found, path, where, ("method", "source", "numbers"), may)
    if found["source"] not in sources:
        raise UserError(f"{path}: {where}.source: {found['source']} is not among the sources")
    numbers = _checked(found["numbers"], path, f"{where}.numbers", (), keys)
    return PublishedRow(
        **{
            **found,
            "numbers": {
                key: printed_quantity(value, f"{path}: {where}.numbers.{key}")
                for key, value in numbers.items()
            },
            "protocol": _protocol(protocol, found.get("protocol", {}), path, f"{where}.protocol"),
            "match": _values(found["match"]) if "match" in found else None,
        }
    )


def _count(found: str, where: str) -> int:
    try:
        return int(found)
    except (TypeError, ValueError) as error:
        raise UserError(f"{where}: {found!r} is no count") from error


def _values(found: Mapping[str, Any]) -> dict[str, list[str]]:
    return {key: value if isinstance(value, list) else [str(value)] for key, value in found.items()}
