"""What below a root may be deleted without losing a result that anything refers to."""

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from launch.runs.ledger import CONFIG, SHAPES, Run, all_runs, attempt_numbers
from launch.runs.records import checked
from launch.sweeps.record import read_sweep, sweep_names
from motiongpt.training.checkpoints import FOLDER as CHECKPOINTS

SECONDS_A_DAY = 86400.0


@dataclass(frozen=True)
class Waste:
    """A file or folder that may go.

    Attributes:
        path: of it.
        why: it may.
        bytes: that its deletion frees.
    """

    path: Path
    why: str
    bytes: int

    def __str__(self) -> str:
        return f"{self.path} ({self.bytes / 1e6:.1f} MB): {self.why}"

    def delete(self) -> None:
        """Delete it; a folder is moved out of sight first, so that nobody reads half of it."""
        if self.path.is_dir():
            going = self.path.with_name(f".deleting-{self.path.name}")
            os.rename(self.path, going)
            shutil.rmtree(going)
        else:
            self.path.unlink()


def find_waste(root: Path, unreferenced_days: float | None = None) -> list[Waste]:
    """What may go.

    Args:
        unreferenced_days: also whole runs that old which no sweep and no run refers to; None
            keeps them.

    Raises:
        UserError: with `unreferenced_days`, a damaged sweep or run: what it refers to is unknown.
    """
    runs = all_runs(root)
    found = [*_checkpoints(runs), *_attempts(runs)]
    if unreferenced_days is not None:
        found += _unreferenced(root, runs, unreferenced_days * SECONDS_A_DAY)
    return found


def _checkpoints(runs: list[Run]) -> Iterator[Waste]:
    """A finished run is never resumed: what children need is in its model folder."""
    for run in runs:
        for checkpoint in sorted((run.folder / CHECKPOINTS).glob("*.ckpt")):
            if run.is_finished:
                yield _waste(checkpoint, "checkpoint of a finished run")


def _attempts(runs: list[Run]) -> Iterator[Waste]:
    for run in runs:
        if not run.attempts.is_dir():
            continue
        if run.is_finished:
            yield _waste(run.attempts, "attempts at a finished run")
        elif run.state not in ("running", "damaged"):  # of a damaged one nobody knows
            for number in attempt_numbers(run.attempts)[:-1]:
                earlier = run.attempts / f"{number:04d}"
                yield _waste(earlier, "attempt that a later one has taken over")


def _unreferenced(root: Path, runs: list[Run], seconds: float) -> Iterator[Waste]:
    wanted = {key for name in sweep_names(root) for key in _of_sweep(root, name)}
    wanted |= {key for run in runs for key in _parents(run)}
    for run in runs:
        old = time.time() - float(run.status.get("time", time.time())) > seconds
        if run.is_finished and old and (run.stage, run.signature) not in wanted:
            yield _waste(run.folder, "no sweep and no other run refers to it")


def _of_sweep(root: Path, name: str) -> Iterator[tuple[str, str]]:
    for point in read_sweep(root, name).points:
        yield from ((stage, signature) for stage, signature in point.stages)


def _parents(run: Run) -> Iterator[tuple[str, str]]:
    found = checked(run.where / CONFIG, SHAPES[CONFIG])  # a guess would delete what is needed
    yield from found.get("parents", {}).items()


def _waste(path: Path, why: str) -> Waste:
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return Waste(path, why, sum(file.stat().st_size for file in files))
