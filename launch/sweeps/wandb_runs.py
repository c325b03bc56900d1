"""W&B runs below a root that were not sent, or not all of them, and sending each."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from launch.loggers.naming import run_id
from launch.loggers.wandb_rows import Part, mark_sent, part_files, read_part
from launch.runs.ledger import CONFIG, SHAPES, Run, all_runs
from launch.runs.records import checked
from launch.sweeps.record import SWEEPS
from motiongpt.errors import UserError

REPLAY = [sys.executable, "-m", "launch.loggers.wandb_replay"]
SERVICE = "WANDB_SERVICE"
"""Where `wandb` finds the helper process of whoever started this one, which keeps the runs that
were not finished there as being in use."""


@dataclass(frozen=True)
class UnsentRun:
    """One W&B run with something to send.

    Attributes:
        run_id: W&B's.
        parts: what each attempt wrote, oldest first.
        parents: W&B's ids of the runs that it builds on.
    """

    run_id: str
    parts: tuple[Part, ...]
    parents: tuple[str, ...] = ()

    @property
    def started(self) -> float:
        """Unix seconds."""
        return self.parts[0].started

    def __str__(self) -> str:
        resumed = f" (resumed {len(self.parts) - 1} times)" if len(self.parts) > 1 else ""
        return f"{self.run_id}{resumed}"


@dataclass(frozen=True)
class Found:
    """What lies below a root.

    Attributes:
        runs: with something to send, in order of time, parents before children.
        synced: number of those without.
        running: ids of those that are written just now.
        damaged: one line on each that can't be read.
    """

    runs: list[UnsentRun]
    synced: int
    running: list[str]
    damaged: list[str]


def find_unsent_runs(root: Path) -> Found:
    """All W&B runs below `root`: of finished runs, of the latest attempts at others, of sweeps."""
    runs: list[UnsentRun] = []
    synced, running, damaged = 0, list[str](), list[str]()
    for folder, run in _folders(Path(root)):
        files = part_files(folder)
        if not files:
            continue
        if run is not None and run.state == "running":
            running.append(run_id(run))
            continue
        try:
            unsent = _runs(files, () if run is None else _parents(run))
        except (UserError, OSError) as error:
            damaged.append(str(error))
        else:
            runs.extend(unsent)
            synced += not unsent
    return Found(_parents_first(runs), synced, running, damaged)


def send(run: UnsentRun, timeout: float) -> str:
    """Send what the server lacks of a run; returns what went wrong, or nothing.

    Args:
        timeout: seconds, since W&B else waits for a server for ever.
    """
    try:
        done = subprocess.run(
            [*REPLAY, *(str(part.file.resolve()) for part in run.parts)],
            stdin=subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if name != SERVICE},
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
        )
        if done.returncode == 0:
            for part in run.parts:
                mark_sent(part.file, part.size)
            return ""
    except subprocess.TimeoutExpired:
        return f"not done after {timeout:g} s; is the server there? --timeout gives it longer"
    except OSError as error:
        return str(error)
    said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    return (said or [f"ended with status {done.returncode}"])[-1]


def _folders(root: Path) -> Iterator[tuple[Path, Run | None]]:
    """Folders that may hold W&B runs, and the run of each; a sweep's own is of none."""
    for run in all_runs(root):
        yield run.where, run
    for sweep in sorted((root / SWEEPS).glob("*")):
        yield sweep, None


def _parents(run: Run) -> tuple[str, ...]:
    """W&B's ids of the runs that `run` builds on."""
    parents = checked(run.where / CONFIG, SHAPES[CONFIG]).get("parents", {})
    return tuple(run_id(Run(run.root, *parent)) for parent in parents.items())


def _runs(files: Sequence[Path], parents: tuple[str, ...]) -> list[UnsentRun]:
    """The runs that `files` are parts of, those with something to send."""
    parts: dict[str, list[Part]] = {}
    for part in filter(None, map(read_part, files)):
        parts.setdefault(part.run_id, []).append(part)
    return [
        UnsentRun(name, tuple(sorted(own, key=lambda part: part.started)), parents)
        for name, own in parts.items()
        if not all(part.is_sent for part in own)
    ]


def _parents_first(runs: Sequence[UnsentRun]) -> list[UnsentRun]:
    """In order of time; a clock that is wrong puts no child before its parents."""
    by_id = {run.run_id: run for run in runs}
    ordered: dict[str, UnsentRun] = {}

    def visit(run: UnsentRun) -> None:
        if run.run_id in ordered:
            return
        for parent in run.parents:
            if parent in by_id:
                visit(by_id[parent])
        ordered[run.run_id] = run

    for run in sorted(runs, key=lambda run: run.started):
        visit(run)
    return list(ordered.values())
