"""What below a root may be deleted without losing a result that anything refers to."""

import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from launch.plans.graph import is_disposable
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


def find_scored(root: Path) -> list[Waste]:
    """Runs that are of use only to those that build on them, all of which have their results.

    Such are predictions that have been scored; they are made anew where another protocol asks for
    them. What an experiment without a result needs is none of them.

    Raises:
        UserError: a damaged sweep or run: what it refers to is unknown.
    """
    runs = all_runs(root)
    children: dict[tuple[str, str], list[Run]] = {}
    for run in runs:
        for key in _parents(run):
            children.setdefault(key, []).append(run)
    wanted = {
        key for name in sweep_names(root) for key in _of_sweep(root, name, without_result=True)
    }
    found = []
    for run in runs:
        key = (run.stage, run.signature)
        used = key in children and all(one.is_finished for one in children[key])
        if used and run.is_finished and key not in wanted and _is_disposable(run):
            found.append(_waste(run.folder, "predictions that have been scored"))
    return found


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


def _of_sweep(root: Path, name: str, without_result: bool = False) -> Iterator[tuple[str, str]]:
    """Stages of its experiments, or of those alone that have no result yet."""
    for point in read_sweep(root, name).points:
        if without_result and all(Run(root, *goal).is_finished for goal in point.goals):
            continue
        yield from ((stage, signature) for stage, signature in point.stages)


def _parents(run: Run) -> Iterator[tuple[str, str]]:
    found = checked(run.where / CONFIG, SHAPES[CONFIG])  # a guess would delete what is needed
    yield from found.get("parents", {}).items()


def _is_disposable(run: Run) -> bool:
    found = checked(run.folder / CONFIG, SHAPES[CONFIG])
    return is_disposable(found.get("settings", {}))


def _waste(path: Path, why: str) -> Waste:
    files = [path] if path.is_file() else [one for one in path.rglob("*") if one.is_file()]
    return Waste(path, why, sum(file.stat().st_size for file in files))
