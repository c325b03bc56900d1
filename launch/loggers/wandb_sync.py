"""Offline W&B runs below a root, and `wandb sync` for each of them."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from launch.loggers.stage_loggers import run_id
from launch.loggers.wandb_parts import (
    Part,
    is_synced,
    join,
    mark_synced,
    part_files,
    read_part,
    synced_mark,
)
from launch.runs.ledger import CONFIG, Run, all_runs
from launch.sweeps.record import SWEEPS
from motiongpt.errors import UserError
from motiongpt.files import read_json


@dataclass(frozen=True)
class OfflineRun:
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

    runs: list[OfflineRun]
    synced: int
    running: list[str]
    damaged: list[str]


def find_offline_runs(root: Path) -> Found:
    """All W&B runs below `root`: of finished runs, of the latest attempts at others, of sweeps."""
    found = Found([], 0, [], [])
    synced = 0
    for folder, parents, running in _folders(Path(root)):
        files = part_files(folder)
        offline = [file for file in files if file.parent.name.startswith("offline-")]
        if not offline:
            continue
        if running:
            found.running.append(running)
        elif all(map(is_synced, offline)):
            synced += 1
        else:
            try:
                made = _runs(files, parents)
                found.runs.extend(made)
                synced += not made  # nothing was written before the end came
            except UserError as error:
                found.damaged.append(str(error))
    return Found(_parents_first(found.runs), synced, found.running, found.damaged)


def sync(run: OfflineRun, timeout: float) -> str:
    """Send a run with W&B's own command; returns what went wrong, or nothing.

    A run that was never interrupted is sent as it lies there. Otherwise its parts are joined first:
    a run that was sent before is replaced, so that it may be sent at any time.

    Args:
        timeout: seconds for the command, which else waits for a server for ever.
    """
    try:
        written = {part.file: part.file.stat().st_mtime_ns for part in run.parts if part.is_offline}
        with tempfile.TemporaryDirectory() as scratch:
            whole = len(run.parts) == 1 and run.parts[0].ended
            folder = run.parts[0].file.parent if whole else join(run.parts, Path(scratch))
            failed = _wandb_sync(folder, run.parts[-1].file.name, timeout, Path(scratch))
        if not failed:
            for file, time in written.items():
                mark_synced(file, time)
    except (UserError, OSError) as error:
        return str(error)
    return failed


def sync_command(folder: Path) -> list[str]:
    """The command that sends the W&B run in `folder`, and then marks it."""
    return [sys.executable, "-m", "wandb", "sync", str(folder)]


def _wandb_sync(folder: Path, file: str, timeout: float, scratch: Path) -> str:
    """Run it; it ends with status 0 after most failures, but then leaves no mark."""
    kept = {key: value for key, value in os.environ.items() if key != "WANDB_MODE"}
    try:
        done = subprocess.run(
            sync_command(folder.resolve()),
            cwd=scratch,  # where it writes its own log
            env={**kept, "WANDB_SILENT": "false"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=timeout,
        )
    except subprocess.TimeoutExpired:
        return f"not done after {timeout:g} s; is the server there? --timeout gives it longer"
    if done.returncode == 0 and synced_mark(folder / file).exists():
        return ""
    said = [line.strip() for line in (done.stderr + "\n" + done.stdout).splitlines()]
    errors = [line for line in said if "error" in line.lower() and "Find detailed" not in line]
    return (errors or [line for line in said if line] or ["wandb sync said nothing"])[-1]


def _folders(root: Path) -> list[tuple[Path, tuple[str, ...], str]]:
    """Folders that may hold W&B runs, the W&B ids of their parents, and their names if running."""
    folders: list[tuple[Path, tuple[str, ...], str]] = []
    for run in all_runs(root):
        parents = read_json(run.where / CONFIG, {}).get("parents", {})
        ids = tuple(run_id(Run(root, *parent)) for parent in parents.items())
        folders.append((run.where, ids, run_id(run) if run.state == "running" else ""))
    return [*folders, *((one, (), "") for one in sorted((root / SWEEPS).glob("*")))]


def _runs(files: Sequence[Path], parents: tuple[str, ...]) -> list[OfflineRun]:
    """The runs that `files` are parts of, those with something to send."""
    parts: dict[str, list[Part]] = {}
    for part in filter(None, map(read_part, files)):
        parts.setdefault(part.run_id, []).append(part)
    ordered = {name: sorted(own, key=lambda part: part.started) for name, own in parts.items()}
    for own in ordered.values():
        while own and not own[-1].has_header:
            own.pop()  # it can be told only beside one that says what run it is
    runs = [OfflineRun(name, tuple(own), parents) for name, own in ordered.items() if own]
    return [run for run in runs if not all(part.is_synced for part in run.parts)]


def _parents_first(runs: Sequence[OfflineRun]) -> list[OfflineRun]:
    """In order of time; a clock that is wrong puts no child before its parents."""
    by_id = {run.run_id: run for run in runs}
    ordered: dict[str, OfflineRun] = {}

    def visit(run: OfflineRun) -> None:
        if run.run_id in ordered:
            return
        for parent in run.parents:
            if parent in by_id:
                visit(by_id[parent])
        ordered[run.run_id] = run

    for run in sorted(runs, key=lambda run: run.started):
        visit(run)
    return list(ordered.values())
