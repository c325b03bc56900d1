"""Parts of one W&B run, one for each attempt at a stage, and the one run that they make together.

`wandb sync` sends each file's history from its first line on, so that of two parts with the same id
the second erases the first; `--append` sends both, with the steps between the last checkpoint and
the interruption twice. So the parts are joined before: an earlier one counts up to the step at
which the next goes on.
"""

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launch.loggers.wandb_logger import GLOBAL_STEP, ROWS
from motiongpt.errors import UserError

SYNCED = ".synced"
"""What `wandb sync` appends to the name of a file to say that it was sent."""
OF_EACH_PART = ("history", "summary", "stats", "output", "output_raw", "files", "artifact")
"""Kinds of records that are kept of all parts; the others, such as the configuration, come again
with each part, and the last one's hold."""
SHORTEST = 7  # bytes of the header; a process that was killed at once leaves less


@dataclass(frozen=True)
class Part:
    """What one process wrote.

    Attributes:
        file: `…/wandb/offline-run-<time>-<id>/run-<id>.wandb`, or the same of an online run.
        run_id: W&B's.
        started: Unix seconds.
        first_step: the first optimiser step in it; None if it has none.
        ended: whether it was closed, and not just broken off.
        has_header: whether W&B got as far as writing the run's name and configuration.
    """

    file: Path
    run_id: str
    started: float
    first_step: int | None
    ended: bool
    has_header: bool = True

    @property
    def is_synced(self) -> bool:
        """Whether there is nothing to send."""
        return not self.is_offline or is_synced(self.file)

    @property
    def is_offline(self) -> bool:
        """Whether it was not sent while it was written."""
        return self.file.parent.name.startswith("offline-")


def synced_mark(file: Path) -> Path:
    """The file that says that `file` was sent."""
    return file.with_name(file.name + SYNCED)


def is_synced(file: Path) -> bool:
    """Whether `file` was sent, and not written to since: a process taken for dead may wake up."""
    mark = synced_mark(file)
    return mark.exists() and mark.stat().st_mtime_ns >= file.stat().st_mtime_ns


def mark_synced(file: Path, written: int) -> None:
    """Say that `file` was sent as it was at `written`, its time in Unix nanoseconds."""
    synced_mark(file).touch()
    os.utime(synced_mark(file), ns=(written, written))


def part_files(folder: Path) -> list[Path]:
    """Files of all W&B runs that were logged to `folder`, oldest first."""
    return sorted(Path(folder).glob("wandb/*run-*/run-*.wandb"))


def read_part(file: Path) -> Part | None:
    """What is in `file`; None if nothing is.

    Raises:
        UserError: it is damaged.
    """
    run: Any = None
    first: int | None = None
    ended = False
    for record in _complete(file):
        if record.HasField("run") and run is None:
            run = record.run
        elif record.HasField("history") and first is None:
            first = _global_step(record.history)
        ended = ended or record.HasField("exit")
    if run is None:
        return _without_header(file)
    return Part(file, run.run_id, run.start_time.ToMicroseconds() / 1e6, first, ended)


def _without_header(file: Path) -> Part | None:
    """A part that was broken off before W&B wrote anything of it, if rows were logged by then."""
    row = next(_rows(file.parent / ROWS), None)
    if row is None:
        return None
    name = file.stem.removeprefix("run-")
    return Part(file, name, row["_timestamp"] - row["_runtime"], row[GLOBAL_STEP], False, False)


def join(parts: Sequence[Part], folder: Path) -> Path:
    """Write the one run that `parts`, oldest first, make together; returns its folder.

    Steps rise through all of it; the time counts from the first part's start. One that was broken
    off is closed as failed.

    Args:
        folder: to make the run's folder in.

    Raises:
        UserError: a part is damaged.
    """
    messages, data_store = _formats()
    last = parts[-1]
    joined = Path(folder) / last.file.parent.name
    for part in parts:
        files = part.file.parent / "files"
        if files.is_dir():
            shutil.copytree(files, joined / "files", dirs_exist_ok=True)
    joined.mkdir(parents=True, exist_ok=True)
    store = data_store()
    store.open_for_write(str(joined / last.file.name))
    number, step = 0, -1
    for record in _joined(parts):
        number += 1
        record.num = number
        if record.HasField("run"):
            record.run.start_time.FromMicroseconds(round(parts[0].started * 1e6))
        elif record.HasField("history"):
            step = _count(record.history, step, parts[0].started)
        store.write(record)
    if not last.ended:
        exit_record = messages.RunExitRecord(exit_code=1)
        store.write(messages.Record(num=number + 1, exit=exit_record))
    store.close()
    return joined


def _joined(parts: Sequence[Part]) -> Iterator[Any]:
    """Records of the last part, with those of the others behind its first."""
    earlier, last = parts[:-1], parts[-1]
    begun = False
    for record in _complete(last.file):
        yield record
        if record.HasField("run") and not begun:
            begun = True
            for index, part in enumerate(earlier):
                following = (one.first_step for one in parts[index + 1 :])
                yield from _before(part, min((s for s in following if s is not None), default=None))


def _before(part: Part, limit: int | None) -> Iterator[Any]:
    """What `part` holds of the steps before `limit`."""
    for record in _complete(part.file):
        kind = record.WhichOneof("record_type")
        step = _global_step(record.history) if kind == "history" else None
        if limit is not None and step is not None and step >= limit:
            return
        if kind in OF_EACH_PART:
            yield record


def _count(history: Any, last: int, started: float) -> int:
    """Let a row's step lie behind the `last` one, and its time count from `started`."""
    items = {_name(item): item for item in history.item}
    step = max(history.step.num, last + 1)
    history.step.num = step
    if "_step" in items:
        items["_step"].value_json = json.dumps(step)
    if "_runtime" in items and "_timestamp" in items:
        runtime = json.loads(items["_timestamp"].value_json) - started
        items["_runtime"].value_json = json.dumps(runtime)
    return step


def _complete(file: Path) -> Iterator[Any]:
    """Records of a part, and the rows that W&B had not written yet when it was broken off."""
    last, ended = -1, False
    for record in _records(file):
        if record.HasField("history"):
            last = record.history.step.num
        ended = ended or record.HasField("exit")
        yield record
    if not ended:
        yield from _rows_behind(last, file.parent / ROWS)


def _rows_behind(last: int, rows: Path) -> Iterator[Any]:
    """Rows of the steps behind `last`."""
    messages, _ = _formats()
    for row in _rows(rows):
        if row["_step"] > last:
            record = messages.Record()
            record.history.step.num = row["_step"]
            for key, value in row.items():
                record.history.item.add(key=key, value_json=json.dumps(value))
            yield record


def _rows(file: Path) -> Iterator[dict[str, Any]]:
    """What was logged, without a line that was broken off in the middle."""
    for line in file.read_text().splitlines(keepends=True) if file.exists() else ():
        if line.endswith("\n"):
            yield json.loads(line)


def _global_step(history: Any) -> int | None:
    for item in history.item:
        if _name(item) == GLOBAL_STEP:
            return int(json.loads(item.value_json))
    return None


def _name(item: Any) -> str:
    return item.key or "/".join(item.nested_key)


def _records(file: Path) -> Iterator[Any]:
    """Records of a W&B file, up to where it was broken off.

    Raises:
        UserError: W&B is not installed, or the file is damaged before its end.
    """
    messages, data_store = _formats()
    if file.stat().st_size < SHORTEST:
        return
    store = data_store()
    try:
        store.open_for_scan(str(file))
        while (data := _scan(store)) is not None:
            record = messages.Record()
            record.ParseFromString(data)
            yield record
    except Exception as error:
        raise UserError(f"{file}: damaged ({error}); delete it, or move it away") from error
    finally:
        store.close()


def _formats() -> tuple[Any, Any]:
    """W&B's message types, and the class that reads and writes files of them."""
    try:
        from wandb.proto import wandb_internal_pb2
        from wandb.sdk.internal.datastore import DataStore
    except ImportError as error:
        raise UserError(f"wandb can't be used ({error}); pip install wandb") from error
    return wandb_internal_pb2, DataStore


def _scan(store: Any) -> bytes | None:
    """The next record; None at the end, also if that is in the middle of a record."""
    try:
        data: bytes | None = store.scan_data()
        return data
    except AssertionError:
        if store.in_last_block():
            return None
        raise
