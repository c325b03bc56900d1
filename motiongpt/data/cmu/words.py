"""Which clips there are, of which trial and frames, with which captions.

Either `captions.jsonl`, one clip a line with id, trial, start, end, fps, split and captions; or the
files of HumanML3D's repository: index.csv, texts.zip (or the folder texts) and its split lists.
Bounds are frames at 20 per second, the end excluded, as HumanML3D's own code cuts.
"""

import csv
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from motiongpt.data.clip import SPLITS, BadClip, Caption, SourceMissing
from motiongpt.data.cmu.rates import capture_fps
from motiongpt.data.humanml3d_texts import MalformedText, Span, parse_captions, read_captions
from motiongpt.data.split_lists import read_split_lists
from motiongpt.errors import UserError
from motiongpt.reading import ZIP_ERRORS, check_members, parse_json, read_text

LINES, INDEX, TEXTS = "captions.jsonl", "index.csv", "texts"
LISTS = tuple(f"{split}.txt" for split in SPLITS)
COLUMNS = ("source_path", "start_frame", "end_frame", "new_name")
INDEX_FPS = 20
MOST_FRAME = 10_000_000  # of a bound; no trial is a day long
MOST_IN_TEXTS, MOST_IN_TEXT = 1 << 30, 1 << 20  # bytes: of all texts, and of one
TRIAL = re.compile(r"\d{1,3}_\d{1,3}")
CaptionsOf = Callable[[str], dict[Span, tuple[Caption, ...]]]
_IN_CMU = re.compile(r"(?:^|/)CMU/")


@dataclass(frozen=True)
class CmuClip:
    """One clip of HumanML3D that comes from a CMU trial.

    Attributes:
        name: its id in HumanML3D.
        trial: as "02_01".
        start, end: frames at 20 per second, the end excluded.
        fps: at which the trial was captured; None where that is not known.
        split: "train", "val" or "test".
        captions: by the part of the clip that they are about.
    """

    name: str
    trial: str
    start: int
    end: int
    fps: float | None
    split: str
    captions: Mapping[Span, tuple[Caption, ...]]


def words_files(folder: Path) -> dict[str, Path]:
    """The files of `folder`, or of its folder HumanML3D, that say which clips there are.

    Raises:
        SourceMissing: neither form of them is there.
    """
    for place in (folder, folder / "HumanML3D"):
        if (place / LINES).is_file():
            return {LINES: place / LINES}
        texts = {name: place / name for name in (f"{TEXTS}.zip", TEXTS) if (place / name).exists()}
        rest = {name: place / name for name in (INDEX, *LISTS) if (place / name).is_file()}
        if texts and len(rest) == 1 + len(LISTS):
            return rest | texts
    raise SourceMissing(
        f"{folder} has neither {LINES} nor HumanML3D's {INDEX}, {TEXTS}.zip, {', '.join(LISTS)}"
    )


def read_words(folder: Path) -> Iterator[CmuClip | BadClip]:
    """The clips that come from CMU, in the order of the file that lists them.

    Raises:
        SourceMissing: as `words_files`.
        UserError: a file that can't be read, or a malformed line.
    """
    files = words_files(folder)
    if LINES in files:
        yield from _of_lines(files[LINES])
    else:
        yield from _of_humanml3d(files)


def _of_lines(path: Path) -> Iterator[CmuClip | BadClip]:
    for number, line in enumerate(_text(path).split("\n"), 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            entry = parse_json(line)
        except ValueError as error:
            raise UserError(f"{where}: expected one JSON object, but {error}") from error
        if not isinstance(entry, dict):
            raise UserError(f"{where}: expected one JSON object")
        yield _of_entry(entry, where)


def _of_entry(entry: Mapping[str, Any], where: str) -> CmuClip:
    texts = entry.get("captions")
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise UserError(f"{where}: expected captions, a list of texts")
    trial = _trial(entry.get("trial"), where)
    fps = entry.get("fps", capture_fps(trial))
    if fps is not None and (isinstance(fps, bool) or not isinstance(fps, int | float) or fps <= 0):
        raise UserError(f"{where}: expected fps, a number above zero or null, found {fps!r}")
    split, name = entry.get("split"), entry.get("id")
    if split not in SPLITS or not isinstance(name, str):
        raise UserError(f"{where}: expected id, a text, and split, one of {', '.join(SPLITS)}")
    start, end = _bounds(entry.get("start"), entry.get("end"), where)
    captions = tuple(Caption(text.strip()) for text in texts)
    return CmuClip(name, trial, start, end, fps, split, {Span(): captions})


def _of_humanml3d(files: Mapping[str, Path]) -> Iterator[CmuClip | BadClip]:
    lists = read_split_lists(files[LISTS[0]].parent)
    splits = {name: split for split in SPLITS for name in lists.ids[split]}
    with _captions_reader(files) as captions_of:
        for where, row in _index_rows(files[INDEX]):
            if not _IN_CMU.search(row["source_path"]):
                continue
            name = PurePosixPath(row["new_name"]).stem
            trial = _trial(PurePosixPath(row["source_path"]).stem.removesuffix("_poses"), where)
            start, end = _bounds(row["start_frame"], row["end_frame"], where)
            if name not in splits or name in lists.excluded:
                yield BadClip(name, "in none of the split lists, or in two of them")
                continue
            try:
                captions = captions_of(name)
            except MalformedText as error:
                yield BadClip(name, str(error))
                continue
            yield CmuClip(name, trial, start, end, capture_fps(trial), splits[name], captions)


def _index_rows(path: Path) -> Iterator[tuple[str, dict[str, str]]]:
    """Where a row stands, and the row."""
    rows = csv.reader(io.StringIO(_text(path)), strict=True)
    try:
        columns = next(rows, [])
        if [name.strip() for name in columns] != list(COLUMNS):
            raise UserError(f"{path}:1: expected the columns {', '.join(COLUMNS)}")
        for row in rows:
            where = f"{path}:{rows.line_num}"
            if row and len(row) != len(COLUMNS):
                raise UserError(f"{where}: expected {len(COLUMNS)} fields, found {len(row)}")
            if row:
                yield where, dict(zip(COLUMNS, row, strict=True))
    except csv.Error as error:
        raise UserError(f"{path}:{rows.line_num}: not a row of the index: {error}") from error


@contextmanager
def _captions_reader(files: Mapping[str, Path]) -> Iterator[CaptionsOf]:
    """What reads the captions of a clip by its id, of texts.zip or of the folder texts."""
    folder, packed = files.get(TEXTS), files.get(f"{TEXTS}.zip")
    if folder is not None:
        yield lambda name: read_captions(folder / f"{name}.txt")
        return
    assert packed is not None
    try:
        archive = zipfile.ZipFile(packed)
        check_members(archive, MOST_IN_TEXTS)
    except ZIP_ERRORS as error:
        raise UserError(
            f"{packed}: not a whole zip archive of captions ({error}); fetch it again"
        ) from error
    with archive:
        members: dict[str, zipfile.ZipInfo] = {}
        for member in archive.infolist():
            path = PurePosixPath(member.filename)
            if path.suffix == ".txt" and "__MACOSX" not in path.parts:
                members.setdefault(path.stem, member)
        yield lambda name: _of_member(archive, members.get(name))


def _of_member(
    archive: zipfile.ZipFile, member: zipfile.ZipInfo | None
) -> dict[Span, tuple[Caption, ...]]:
    if member is None:
        raise MalformedText("text missing")
    if member.file_size > MOST_IN_TEXT:
        raise MalformedText(f"text of {member.file_size:,} bytes")
    try:
        return parse_captions(archive.read(member).decode("utf-8-sig"))
    except MalformedText:
        raise
    except (UnicodeDecodeError, *ZIP_ERRORS) as error:
        raise MalformedText(f"text unreadable: {error}") from error


def _trial(value: Any, where: str) -> str:
    if not isinstance(value, str) or not TRIAL.fullmatch(value):
        raise UserError(f"{where}: expected a trial such as 02_01, found {repr(value)[:60]}")
    return value


def _bounds(start: Any, end: Any, where: str) -> tuple[int, int]:
    try:
        first, last = int(start), int(end)
    except (TypeError, ValueError, OverflowError):
        first, last = 0, -1
    if not 0 <= first < last <= MOST_FRAME:
        raise UserError(
            f"{where}: expected the first frame and a later one to end before, "
            f"found {str(start)[:20]} and {str(end)[:20]}"
        )
    return first, last


def _text(path: Path) -> str:
    try:
        return read_text(path, "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path} can't be read as UTF-8 text: {error}") from error
