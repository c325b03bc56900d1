"""Captions files: which sentences, split and labels belong to which motion file.

One line for each caption; several lines with the same file give it several captions. Either JSON
lines (.jsonl), where `caption` and `label` may also be lists:

    {"file": "walks/slow.bvh", "caption": "a person walks slowly", "split": "train",
     "label": ["walk"]}

or a table with a header (.csv with commas, .tsv with tabs), several labels parted by `;`:

    file,caption,split,label
    walks/slow.bvh,"a person walks, slowly",train,walk

`split` (train, val or test) and `label` may be left out or empty. `file` is relative to the folder
of the motion files, with or without its ending. `from` and `to`, seconds in the file, say which
part of it the caption is about; each part is a clip of its own:

    file,from,to,caption
    take1,0,4.5,a person walks forward
    take1,4.5,9,a person sits down
"""

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from motiongpt.errors import UserError
from motiongpt.reading import parse_json, read_text

KEYS = ("file", "caption", "split", "label", "from", "to")
MOTION_ENDINGS = (".bvh", ".amc")
_DELIMITERS = {".csv": ",", ".tsv": "\t"}


@dataclass(frozen=True)
class CaptionLine:
    """What one line says.

    Attributes:
        number: of the line in its file, from 1.
        file: the motion file without its ending, parts separated by "/".
        captions: stripped; an empty one is kept, for the caller to complain about.
        split: as written, "" where the line gives none.
        labels: in the line's order.
        start, end: seconds in the file; None for its start and its end.
    """

    number: int
    file: str
    captions: tuple[str, ...]
    split: str = ""
    labels: tuple[str, ...] = ()
    start: float | None = None
    end: float | None = None


def read_caption_file(path: Path) -> tuple[CaptionLine, ...]:
    """All lines of a captions file, blank ones left out.

    Raises:
        UserError: no such file, another kind of file, or a line that does not follow the format
            (file, line, expectation).
    """
    existing_caption_file(path)
    try:
        text = read_text(path, "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot read the captions file as UTF-8 text: {error}") from error
    if path.suffix == ".jsonl":
        return tuple(_json_lines(text, path))
    return tuple(_table(text, path, _DELIMITERS[path.suffix]))


def existing_caption_file(path: Path) -> Path:
    """`path` itself, if a captions file is there by its ending.

    Raises:
        UserError: another ending, or no such file.
    """
    if path.suffix != ".jsonl" and path.suffix not in _DELIMITERS:
        raise UserError(f"{path}: expected a captions file that ends in .jsonl, .csv or .tsv")
    if not path.exists():
        raise UserError(
            f"no captions file {path}; write one line for each caption (JSON lines with file and "
            "caption, or a table with these columns) and pass it as data.source.captions=FILE"
        )
    return path


def _json_lines(text: str, path: Path) -> Iterator[CaptionLine]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            entry = parse_json(line)
        except ValueError as error:
            said = error.msg if isinstance(error, json.JSONDecodeError) else error
            raise UserError(f"{where}: expected one JSON object, but {said}") from error
        if not isinstance(entry, dict):
            raise UserError(f"{where}: expected one JSON object with {', '.join(KEYS)}")
        _check_keys(list(entry), where)
        yield CaptionLine(
            number,
            _file(entry["file"], where),
            _strings(entry["caption"], "caption", where),
            "".join(_strings(entry.get("split") or "", "split", where)),
            tuple(filter(None, _strings(entry.get("label") or [], "label", where))),
            *_span(entry, where),
        )


def _table(text: str, path: Path, delimiter: str) -> Iterator[CaptionLine]:
    rows = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    columns: list[str] = []
    last = 0  # a quoted caption may run over several lines: the row begins after the last one
    while True:
        where = f"{path}:{last + 1}"
        try:
            row = next(rows, None)
        except csv.Error as error:
            raise UserError(f"{where}: not a row of the table: {error}") from error
        number, last = last + 1, rows.line_num
        if row is None:
            break
        if not any(field.strip() for field in row):
            continue
        if not columns:
            columns = [field.strip() for field in row]
            _check_keys(columns, where)
            continue
        if len(row) != len(columns):
            raise UserError(
                f"{where}: expected {len(columns)} fields, found {len(row)}; put a caption with a "
                "delimiter in it in double quotes"
            )
        entry = dict(zip(columns, row, strict=True))
        labels = (label.strip() for label in entry.get("label", "").split(";"))
        yield CaptionLine(
            number,
            _file(entry["file"], where),
            (entry["caption"].strip(),),
            entry.get("split", "").strip(),
            tuple(filter(None, labels)),
            *_span(entry, where),
        )


def _check_keys(keys: list[str], where: str) -> None:
    missing = [key for key in KEYS[:2] if key not in keys]
    unknown = [key for key in keys if key not in KEYS]
    repeated = [key for key in KEYS if keys.count(key) > 1]
    if missing or unknown or repeated:
        parts = [f"no {key!r}" for key in missing] + [f"unknown {key!r}" for key in unknown]
        parts += [f"two {key!r}" for key in repeated]
        raise UserError(
            f"{where}: {', '.join(parts)}; expected file and caption, and perhaps split, label, "
            "from and to"
        )


def _file(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise UserError(f"{where}: expected the name of a motion file, found {repr(value)[:60]}")
    path = PurePosixPath(value.strip().replace("\\", "/"))
    return str(path.with_suffix("") if path.suffix.lower() in MOTION_ENDINGS else path)


def _span(entry: Mapping[str, Any], where: str) -> tuple[float | None, float | None]:
    """`from` and `to` in seconds."""
    start, end = (_seconds(entry.get(key), key, where) for key in ("from", "to"))
    if start is not None and end is not None and start >= end:
        raise UserError(f"{where}: from {start:g} is not before to {end:g}; both are seconds")
    return start, end


def _seconds(value: Any, key: str, where: str) -> float | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    try:
        seconds = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise UserError(
            f"{where}: expected seconds from the file's start in {key!r}, as 12.5, found "
            f"{repr(value)[:60]}"
        )
    return seconds


def _strings(value: Any, key: str, where: str) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str) for item in values) or (key == "split" and len(values) > 1):
        raise UserError(f"{where}: expected text in {key!r}, found {repr(value)[:60]}")
    return tuple(item.strip() for item in values)
