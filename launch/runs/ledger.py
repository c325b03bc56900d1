"""The ledger of runs: what is finished, what is being tried, and what their files say.

A finished run is the folder `runs/<stage>/<signature>/`. Until then each try has a folder of its
own, `attempts/<stage>/<signature>/<number>/` (see `launch.runs.attempts`), which is moved there
whole when it succeeds: so nobody ever reads half a run, and two processes never write one folder.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launch.runs.owner import Owner, is_alive
from launch.runs.records import are, is_mapping, is_metric, is_number, is_text, list_of, readable
from motiongpt.checksums import damage_below
from motiongpt.errors import UserError
from motiongpt.files import write_json

STATUS, CONFIG, METRICS, PROGRESS, LOG, ERROR = (
    "status.json",
    "config.json",
    "metrics.json",
    "progress.json",
    "log.txt",
    "error.txt",
)
RUNS, ATTEMPTS = "runs", "attempts"
OUTDATED = "outdated.json"
"""Marks a finished run that is to be made anew; it stays until the new one takes its place."""

SHAPES = {
    STATUS: {
        **dict.fromkeys(("state", "error", "stage", "signature", "host", "job"), is_text),
        **dict.fromkeys(("started", "finished", "time", "attempt", "restarts"), is_number),
        "attempts": list_of(is_mapping),
        "machine": is_mapping,
    },
    PROGRESS: {
        **dict.fromkeys(("step", "steps", "resumed_at", "steps_per_second"), is_number),
        "metrics": are(is_metric),
        "throughput": are(is_metric),
    },
    CONFIG: {
        **dict.fromkeys(("settings", "signed", "data", "config"), is_mapping),
        "parents": are(is_text),
    },
}


@dataclass(frozen=True)
class Run:
    """One stage's run, existing or not."""

    root: Path
    stage: str
    signature: str

    @property
    def folder(self) -> Path:
        """Where everything of the finished run lies; absent before."""
        return Path(self.root) / RUNS / self.stage / self.signature

    @property
    def attempts(self) -> Path:
        """Folder of the tries."""
        return Path(self.root) / ATTEMPTS / self.stage / self.signature

    @property
    def where(self) -> Path:
        """Where its files lie now: the finished folder, else the latest attempt's."""
        numbers = [] if self.is_finished else attempt_numbers(self.attempts)
        return self.attempts / f"{numbers[-1]:04d}" if numbers else self.folder

    @property
    def is_finished(self) -> bool:
        """Whether its results can be used."""
        return status_in(self.folder)["state"] == "finished" and not self.is_outdated

    @property
    def is_outdated(self) -> bool:
        """Whether there is a result that is to be made anew, see `--again`."""
        return (self.folder / OUTDATED).exists()

    @property
    def status(self) -> dict[str, Any]:
        """Content of the status file; `{"state": "absent"}` where there is none, and state and
        error where it is damaged."""
        return status_in(self.where)

    @property
    def state(self) -> str:
        """absent, running, interrupted, failed, finished, outdated or damaged."""
        where = self.where
        state = str(status_in(where)["state"])
        if where == self.folder and self.is_outdated:
            return "outdated"
        if state != "running":
            return state
        return "running" if is_alive(Owner.read(where), where) else "interrupted"

    @property
    def metrics(self) -> dict[str, float]:
        """Final metrics of a finished run; empty where their file is damaged."""
        found, _ = readable(self.folder / METRICS, {})
        return {name: float(value) for name, value in found.items() if is_metric(value)}

    @property
    def progress(self) -> dict[str, Any]:
        """Where a training stage is: step, steps, rate, last metrics."""
        return self._read(PROGRESS)

    @property
    def config(self) -> dict[str, Any]:
        """What it was run with, see `recorded_settings`."""
        return self._read(CONFIG)

    def outdate(self) -> None:
        """Have its result made anew; it stays until the new one takes its place."""
        write_json(self.folder / OUTDATED, {"time": round(time.time(), 3)})

    def _read(self, name: str) -> dict[str, Any]:
        return readable(self.where / name, SHAPES[name])[0]


def status_in(folder: Path) -> dict[str, Any]:
    """Content of the status file in the folder of a run or of an attempt, see `Run.status`."""
    found, damage = readable(folder / STATUS, SHAPES[STATUS])
    if damage:
        return {"state": "damaged", "error": damage}
    return {"state": "absent", **found}


def damage_of(run: Run, whole: bool = False) -> str:
    """One line on a run that is finished but damaged, and how to mend it; empty for all others.

    Args:
        whole: read all bytes; else only what a look at the folder tells.
    """
    state = status_in(run.folder)["state"]
    if run.is_outdated or state not in ("finished", "damaged"):
        return ""
    said = "status.json is damaged" if state == "damaged" else damage_below(run.folder, whole)
    if not said:
        return ""
    return f"{run.stage} {run.signature}: finished, but {said}: run with --again {run.stage}"


def attempt_numbers(folder: Path) -> list[int]:
    """Numbers of the attempts below `folder`, rising."""
    if not folder.is_dir():
        return []
    return sorted(int(one.name) for one in folder.iterdir() if one.name.isdigit())


def all_runs(root: Path) -> list[Run]:
    """Every run below `root`, finished or tried, oldest first."""
    known = {
        (one.parent.name, one.name)
        for kind in (RUNS, ATTEMPTS)
        for one in (Path(root) / kind).glob("*/*")
        if not one.name.startswith(".")
    }
    found = [Run(Path(root), stage, signature) for stage, signature in known]
    begun = [(run.status.get("started", time.time()), run.stage, run.signature) for run in found]
    order = sorted(range(len(found)), key=lambda index: begun[index])
    return [found[index] for index in order]


def find_run(root: Path, words: str) -> Run:
    """The run whose signature, or stage/signature, begins with `words`.

    Raises:
        UserError: none, or several.
    """
    stage, _, start = words.rpartition("/")
    found = [
        run
        for run in all_runs(root)
        if run.signature.startswith(start) and (not stage or run.stage == stage)
    ]
    if len(found) == 1:
        return found[0]
    names = ", ".join(f"{run.stage}/{run.signature}" for run in found[:5])
    raise UserError(
        f"{words}: {'several runs: ' + names if found else 'no such run'} below {root}; "
        "`motiongpt status` lists them"
    )
