"""The ledger of runs: one folder a stage and signature, and what its files say of its state."""

import contextlib
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from motiongpt.errors import UserError
from motiongpt.files import write_json

STATUS, LOCK, CONFIG, METRICS = "status.json", ".lock", "config.json", "metrics.json"


@dataclass(frozen=True)
class Run:
    """One stage's run folder, `runs/<stage>/<signature>/`, existing or not."""

    root: Path
    stage: str
    signature: str

    @property
    def folder(self) -> Path:
        """Where everything of this run lies."""
        return Path(self.root) / "runs" / self.stage / self.signature

    @property
    def status(self) -> dict[str, Any]:
        """Content of the status file; `{"state": "absent"}` where there is none."""
        return read_json(self.folder / STATUS, {"state": "absent"})

    @property
    def state(self) -> str:
        """absent, running, interrupted, failed or finished."""
        state = str(self.status["state"])
        return "interrupted" if state == "running" and not self.is_locked() else state

    @property
    def metrics(self) -> dict[str, float]:
        """Final metrics of a finished run."""
        return read_json(self.folder / METRICS, {})

    @property
    def progress(self) -> dict[str, Any]:
        """Where a running stage is."""
        return read_json(self.folder / "progress.json", {})

    def set_state(self, state: str, **facts: Any) -> None:
        """Write the status file; facts already in it are kept."""
        kept = {key: value for key, value in self.status.items() if key != "error"}
        write_json(
            self.folder / STATUS,
            {
                **kept,
                "state": state,
                "host": socket.gethostname(),
                "process": os.getpid(),
                "time": round(time.time(), 3),
                **facts,
            },
        )

    def is_locked(self) -> bool:
        """Whether a living process writes this folder."""
        if not (self.folder / LOCK).exists():
            return False
        with (self.folder / LOCK).open("a") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Be the only writer; the lock falls with the process.

        Raises:
            UserError: another process writes this folder, or it can't be written at all.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            stream = (self.folder / LOCK).open("a")
        except OSError as error:
            raise UserError(
                f"{self.folder}: can't be written ({error.strerror}); choose another paths.root"
            ) from error
        with stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UserError(
                    f"{self.folder}: process {self.status.get('process')} is writing "
                    "this run; wait for it or stop it"
                ) from error
            yield


def read_json(path: Path, default: Any) -> Any:
    """Content of a JSON file, or `default` where there is no such file.

    Raises:
        UserError: a file that is no JSON.
    """
    try:
        return json.loads(Path(path).read_text())
    except FileNotFoundError:
        return default
    except json.JSONDecodeError as error:
        raise UserError(
            f"{path}: not JSON ({error}); delete the run folder to run it again"
        ) from error


def all_runs(root: Path) -> list[Run]:
    """Every run below `root`, oldest first."""
    found = [
        Run(Path(root), file.parent.parent.name, file.parent.name)
        for file in (Path(root) / "runs").glob(f"*/*/{STATUS}")
    ]
    return sorted(found, key=lambda run: (run.status.get("started", 0.0), run.stage))


def finished_metrics(run: Run, metrics: Mapping[str, float]) -> None:
    """Write the final metrics, then the state that children look for: in this order."""
    write_json(run.folder / METRICS, dict(metrics))
    run.set_state("finished", finished=round(time.time(), 3))
