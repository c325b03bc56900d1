"""What a W&B run is told, in a file of our own: one JSON line each, whatever becomes of a server.

Each process that logs a run writes a file, `wandb/<time>.jsonl`: a *part* of the run. Lines are one
of

    {"run": {"id": …, "name": …, "project": …, "group": …, "job_type": …, …}, "time": …}
    {"config": {…}}
    {"row": {name: value}, "step": 9, "time": …}    "step" is null for what follows the training
    {"artifact": {"name": …, "path": …, …}}         see `launch.loggers.wandb_artifacts`
    {"end": "success"}                              missing where the process was killed

A row's value is what W&B takes, or `{"_type": "table", "columns": […], "data": [[…]]}`, or
`{"_type": "files", "kind": "video", "files": [{"path": …, "caption": …}]}` with paths from the
folder that the run logs to, which may move. A run that was interrupted goes on from its last
checkpoint, in a new part: of the earlier ones count the rows before the step at which the next goes
on, so that each step is there once.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from motiongpt.errors import UserError

FOLDER = "wandb"
TABLE, FILES = "table", "files"
"""Types of a row's values."""
SENT = ".sent"
"""Appended to a part's name: a file that says how many bytes of it a server has."""


class RowsFile:
    """Writes a part; a line is with the operating system when the method returns.

    Args:
        folder: that the run logs to; None to write nothing.
        run: what `wandb.init` is given; JSON values.

    Raises:
        OSError: the folder can't be written.
    """

    def __init__(self, folder: Path | None, run: Mapping[str, Any]) -> None:
        self.path = Path(os.devnull)
        if folder is not None:
            self.path = Path(folder) / FOLDER / f"{time.time_ns()}-{os.getpid()}.jsonl"
            self.path.parent.mkdir(parents=True, exist_ok=True)
        self._folder = None if folder is None else Path(folder).absolute()
        self._file = self.path.open("a", buffering=1, encoding="utf-8")
        self._write({"run": dict(run), "time": time.time()})

    def config(self, config: Mapping[str, Any]) -> None:
        """More of the run's configuration."""
        self._write({"config": dict(config)})

    def row(self, values: Mapping[str, Any], step: int | None) -> None:
        """Values after the optimiser step `step`, counted from 0."""
        told = {name: _moved(value, self._relative) for name, value in values.items()}
        self._write({"row": told, "step": step, "time": time.time()})

    def artifact(self, told: Mapping[str, Any]) -> None:
        """The model that the run has made, and those that it is made from."""
        path = told["path"]
        self._write({"artifact": {**told, "path": path and self._relative(path)}})

    def end(self, status: str) -> None:
        """Close; `status` is Lightning's word: success, failed or interrupted."""
        self._write({"end": status})
        self._file.close()

    def _relative(self, path: str) -> str:
        return path if self._folder is None else os.path.relpath(path, self._folder)

    def _write(self, line: Mapping[str, Any]) -> None:
        self._file.write(json.dumps(line) + "\n")


@dataclass(frozen=True)
class Row:
    """Values of one step; `step` is None for those that belong to none, `time` in Unix seconds."""

    values: dict[str, Any]
    step: int | None
    time: float


@dataclass(frozen=True)
class Part:
    """What one process wrote.

    Attributes:
        run: what `wandb.init` was given.
        started: Unix seconds.
        ended: how, in Lightning's word; None if it was broken off.
        size: bytes read.
        artifact: see `launch.loggers.wandb_artifacts`; None where it logs none.
    """

    file: Path
    run: dict[str, Any]
    started: float
    config: dict[str, Any]
    rows: tuple[Row, ...]
    ended: str | None
    size: int
    artifact: dict[str, Any] | None = None

    @property
    def run_id(self) -> str:
        """W&B's."""
        return str(self.run["id"])

    @property
    def is_sent(self) -> bool:
        """Whether a server has all of it; a process taken for dead may have gone on since."""
        mark = self.file.with_name(self.file.name + SENT)
        return mark.exists() and mark.read_text() == str(self.size)


def _moved(value: Any, place: Callable[[str], str]) -> Any:
    """A row's value; of files, with their paths as `place` gives them."""
    if not isinstance(value, dict) or value.get("_type") != FILES:
        return value
    return {**value, "files": [{**one, "path": place(one["path"])} for one in value["files"]]}


def mark_sent(file: Path, size: int) -> None:
    """Say that a server has the first `size` bytes of the part `file`."""
    file.with_name(file.name + SENT).write_text(str(size))


def part_files(folder: Path) -> list[Path]:
    """Parts of all W&B runs that were logged to `folder`."""
    return sorted((Path(folder) / FOLDER).glob("*.jsonl"))


def read_part(file: Path) -> Part | None:
    """A part up to where it was broken off; None if that was before the end of its first line.

    Raises:
        UserError: names a line that is none of ours.
    """
    content = file.read_bytes()
    whole = content[: content.rfind(b"\n") + 1].splitlines()
    config, rows, lines = dict[str, Any](), list[Row](), list[dict[str, Any]]()
    artifact: dict[str, Any] | None = None

    def place(path: str) -> str:
        return str(file.parent.parent.joinpath(path))

    for number, text in enumerate(whole, start=1):
        try:
            line = dict(json.loads(text))
            config.update(line.get("config", {}))
            if "row" in line:
                told = {name: _moved(value, place) for name, value in dict(line["row"]).items()}
                rows.append(Row(told, line["step"], float(line["time"])))
            if "artifact" in line:
                path = line["artifact"]["path"]
                artifact = {**line["artifact"], "path": path and place(path)}
            if number == 1:
                run, started = {"id": line["run"]["id"], **line["run"]}, float(line["time"])
            lines.append(line)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise UserError(
                f"{file}, line {number}: damaged ({reason}); delete the file, or move it away"
            ) from error
    if not lines:
        return None
    ended = lines[-1].get("end")
    return Part(file, run, started, config, tuple(rows), ended, len(content), artifact)


def joined_rows(parts: Iterable[Part]) -> dict[int, dict[str, Any]]:
    """W&B's step -> values of the one run that parts, oldest first, make together.

    The optimiser step is W&B's own; what belongs to none follows the last, as while logging.
    """
    ordered, rows, last = list(parts), dict[int, dict[str, Any]](), -1
    for index, part in enumerate(ordered):
        for row in _before(part, _first_step(ordered[index + 1 :])):
            last = wandb_step(row.step, last)
            rows.setdefault(last, {}).update({"_timestamp": row.time, **row.values})
    return rows


def wandb_step(step: int | None, last: int) -> int:
    """W&B's number of a row after its row `last`: it takes none that falls."""
    return step if step is not None and step >= last else last + 1


def _first_step(parts: Sequence[Part]) -> float:
    """The lowest step in `parts`; infinite if there is none."""
    steps = (row.step for part in parts for row in part.rows if row.step is not None)
    return min(steps, default=float("inf"))


def _before(part: Part, limit: float) -> Iterable[Row]:
    for row in part.rows:
        if row.step is not None and row.step >= limit:
            return
        yield row
