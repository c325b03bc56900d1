"""Whether the files of a motion source are those of the last time.

An index beside the store keeps name, size, times and SHA-256 of each file. A file whose size and
times are the same is not read again, so that looking costs one stat a file.
"""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from motiongpt.data.clip import MotionSource, SourceMissing
from motiongpt.files import read_json, write_json
from motiongpt.printable import printable
from motiongpt.progress import progress_bar

# A file that was changed this short a time ago could change again within one tick of the file
# system's clock: it is read again the next time. Git does the same with its index.
SETTLED_SECONDS = 2.0
MANY_FILES = 1000  # fewer are read before a bar would be seen

NOT_THERE = [0, 0, 0]
UNSETTLED = [-1, -1, -1]

Row = list[Any]  # size in bytes, time of change of content and of status in ns, SHA-256


@runtime_checkable
class HasFiles(Protocol):
    """A source whose clips come from files that people may change."""

    def files(self) -> Mapping[str, Path]:
        """Every file that the clips depend on, by a name that stays when the folder moves.

        Raises:
            SourceMissing: their folder or archive is not there.
            UserError: it is there, but it lacks files.
        """
        ...


@dataclass(frozen=True)
class SourceState:
    """The files of a source as they are now.

    Attributes:
        content: SHA-256 of all names and contents; None for a source without files.
        note: what has changed since the last time, in one line; empty where nothing has.
    """

    content: str | None
    note: str
    _index: Path
    _rows: Mapping[str, Row]
    _known: Mapping[str, Row]

    def remember(self) -> None:
        """Write the index, so that the files need not be read again.

        Raises:
            OSError: its folder can't be written.
        """
        if self._rows != self._known:
            write_json(self._index, self._rows)


def source_state(source: MotionSource, index: Path) -> SourceState:
    """Look at the files of `source`, of which `index` tells the last state.

    Where the whole folder is gone (archived once the store was made), the last state holds.

    Raises:
        UserError: files are missing, or one can't be read.
    """
    if not isinstance(source, HasFiles):
        return SourceState(None, "", index, {}, {})
    known: dict[str, Row] = read_json(index, {})
    try:
        files = source.files()
    except SourceMissing as error:
        if not known:
            raise
        note = f"{error}; the store made of these files the last time is used"
        return SourceState(_content(known), note, index, known, known)
    rows = _rows(files, known)
    return SourceState(_content(rows), _changes(known, rows) if known else "", index, rows, known)


def _rows(files: Mapping[str, Path], known: Mapping[str, Row]) -> dict[str, Row]:
    """Size, times and SHA-256 of each file; those with known size and times are not read."""
    settled = time.time_ns() - int(SETTLED_SECONDS * 1e9)
    seen = {name: _seen(files[name]) for name in sorted(files)}
    unread = [name for name, times in seen.items() if known.get(name, [])[:3] != times]
    rows = {name: known[name] for name in seen.keys() - set(unread)}
    quiet = len(unread) < MANY_FILES
    for name in progress_bar(unread, desc="looking at the files", unit="file", disable=quiet):
        times = seen[name] if max(seen[name][1:]) < settled else UNSETTLED
        rows[name] = [*times, _sha256(files[name])]
    return rows


def _seen(path: Path) -> list[int]:
    """Size in bytes, times of change of content and of status in ns; `NOT_THERE` for none."""
    try:
        status = path.stat()
    except OSError:
        return NOT_THERE
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _sha256(path: Path) -> str:
    """Of its content; empty where it can't be read, which the source says of the clip itself."""
    try:
        if not path.is_file():  # a pipe would be waited for without end
            return ""
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def _content(rows: Mapping[str, Row]) -> str:
    lines = "".join(f"{name}\0{rows[name][3]}\n" for name in sorted(rows))
    return hashlib.sha256(lines.encode(errors="backslashreplace")).hexdigest()


def _changes(known: Mapping[str, Row], rows: Mapping[str, Row]) -> str:
    found = [
        *(f"{name} is gone" for name in sorted(known.keys() - rows.keys())),
        *(f"{name} is new" for name in sorted(rows.keys() - known.keys())),
        *(
            f"{name} is edited"
            for name in sorted(known.keys() & rows.keys())
            if known[name][3] != rows[name][3]
        ),
    ]
    if not found:
        return ""
    named = ", ".join(map(printable, found[:3])) + (", …" if found[3:] else "")
    return (
        f"{len(found)} files have changed since the last time ({named}): the data as it is now has "
        "a store of its own, what was made of the one before is not reused"
    )
