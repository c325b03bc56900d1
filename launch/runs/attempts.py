"""Attempts at a run: claimed by one process, fenced off from all later ones, published at once.

Numbers rise, and making the folder of the next number is atomic: that is the lock. A writer that
was taken for dead and wakes up again still writes, but only into its own folder, which nobody reads
any more; and since a folder can't be moved to where one already is, a run is published once.
"""

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from launch.runs.ledger import (
    ERROR,
    LOG,
    METRICS,
    PROGRESS,
    SHAPES,
    STATUS,
    Run,
    attempt_numbers,
    status_in,
)
from launch.runs.owner import HEARTBEAT, OWNER, Heartbeat, Owner, is_alive
from launch.runs.records import readable
from motiongpt.checksums import CHECKSUMS, write_checksums
from motiongpt.errors import UserError
from motiongpt.files import write_json
from motiongpt.training.checkpoints import FOLDER as CHECKPOINTS

READY = "ready"
FIRST_SECONDS = 30.0
ENDED = ("failed", "interrupted")
# Written by renaming, never changed in place, so that two attempts can share the bytes.
SHARED = (".ckpt", ".safetensors", ".npy", ".npz")
OF_ONE_ATTEMPT = (OWNER, HEARTBEAT, STATUS, ERROR, READY)


class Superseded(Exception):
    """Another process has taken this run over; what this one made is not used."""


class Attempt:
    """One try at a run, owned by this process."""

    def __init__(self, run: Run, number: int, owner: Owner) -> None:
        self.run, self.number, self.owner = run, number, owner
        self.folder = run.attempts / f"{number:04d}"
        self._heartbeat = Heartbeat(self.folder, lambda: self.is_superseded, _stop_this_process)

    @property
    def is_superseded(self) -> bool:
        """Whether a later attempt, or a result, exists."""
        return self.run.is_finished or attempt_numbers(self.run.attempts)[-1:] != [self.number]

    def begin(self, log: Callable[[str], None]) -> None:
        """Sign the folder and take over what the last complete attempt left."""
        self.owner.write(self.folder)
        self._heartbeat.start()
        facts: dict[str, Any] = {"started": round(time.time(), 3), "attempts": []}
        for number in reversed(attempt_numbers(self.run.attempts)):
            earlier = self.run.attempts / f"{number:04d}"
            if number < self.number and (earlier / READY).exists():
                carry_over(earlier, self.folder)
                facts = _history(earlier, facts["started"])
                log(f"  goes on from attempt {number}")
                break
        self.set_state("running", **facts)
        (self.folder / READY).touch()

    def set_state(self, state: str, **facts: Any) -> None:
        """Write the status file; facts already in it are kept."""
        kept = {key: value for key, value in status_in(self.folder).items() if key != "error"}
        now = {**asdict(self.owner), "attempt": self.number, "time": round(time.time(), 3)}
        write_json(self.folder / STATUS, {**kept, "state": state, **now, **facts})

    def publish(self, metrics: Mapping[str, float], logged: Collection[str] = ()) -> None:
        """Make this attempt the run's result, all of it at one moment.

        An outdated result stays until then.

        Args:
            logged: folders of loggers, which may still write: no checksums are kept of them.

        Raises:
            Superseded: another process took the run over meanwhile.
        """
        write_json(self.folder / METRICS, dict(metrics))
        write_checksums(self.folder, _left_for_others(self.folder, logged))
        self.set_state("finished", finished=round(time.time(), 3))
        self.end()
        if self.is_superseded:
            raise Superseded(f"{self.run.folder}: another process has taken this run over")
        for name in (OWNER, HEARTBEAT, READY):
            (self.folder / name).unlink(missing_ok=True)
        self.run.folder.parent.mkdir(parents=True, exist_ok=True)
        if self.run.is_outdated:
            os.rename(self.run.folder, _replaced(self.run))
        try:
            os.rename(self.folder, self.run.folder)
        except OSError as error:
            put_back(self.run)
            if self.run.is_finished:
                raise Superseded(f"{self.run.folder}: another process finished it") from error
            raise UserError(
                f"{self.run.folder}: in the way of a finished run ({error.strerror}); "
                "move it away and run again"
            ) from error
        shutil.rmtree(self.run.attempts, ignore_errors=True)

    def end(self) -> None:
        """Stop the heartbeat."""
        self._heartbeat.stop()


def put_back(run: Run) -> None:
    """Put an outdated result back where it was, if the one that should replace it did not come."""
    with contextlib.suppress(OSError):  # it was not moved, or its successor is there
        os.rename(_replaced(run), run.folder)


@contextlib.contextmanager
def claimed(run: Run, log: Callable[[str], None]) -> Iterator[Attempt | None]:
    """Own the next attempt at `run`; None if it is finished, perhaps by whom we waited for.

    Waits while a living process owns the run.

    Raises:
        UserError: the folder can't be written.
    """
    attempt = _claim(run, log)
    try:
        yield attempt
    finally:
        if attempt is not None:
            attempt.end()


def _claim(run: Run, log: Callable[[str], None]) -> Attempt | None:
    me, said = Owner.this_process(), False
    put_back(run)
    while not run.is_finished:
        try:
            run.attempts.mkdir(parents=True, exist_ok=True)
            number = (attempt_numbers(run.attempts) or [0])[-1]
            last = run.attempts / f"{number:04d}"
            if number and _at_work(last, me):
                if not said:
                    owner = Owner.read(last)
                    log(f"  waiting: {_who(owner)} is at work on this run")
                    said = True
                time.sleep(1.0)
                continue
            attempt = Attempt(run, number + 1, me)
            try:
                os.mkdir(attempt.folder)
            except (FileExistsError, FileNotFoundError):
                continue  # somebody was faster, or has just finished it
            attempt.begin(log)
            return attempt
        except OSError as error:
            raise UserError(
                f"{run.attempts}: can't be written ({error.strerror}); choose another paths.root"
            ) from error
    return None


def first_process_folder(run: Run) -> Path | None:
    """Where the first process of this job works; None if the run is, or has been, done elsewhere.

    Waits for that process to come.
    """
    me = Owner.this_process()
    while not run.is_finished:
        for number in attempt_numbers(run.attempts)[-1:]:
            folder = run.attempts / f"{number:04d}"
            owner = Owner.read(folder)
            if owner is None or (owner.job, owner.restarts) != (me.job, me.restarts):
                continue
            if status_in(folder)["state"] in ENDED:
                return None
            if (folder / READY).exists():
                return folder
        time.sleep(0.5)
    return None


def wait_for_first_process(folder: Path) -> None:
    """Let the first process of this job, at work in `folder`, end before this one does.

    What fails in all processes fails at the same step, and the first one writes down why; launchers
    kill whatever still runs when one process has ended badly. Where it fails here alone, the first
    one waits for this one, and is waited for no longer than `FIRST_SECONDS`.
    """
    owner, deadline = Owner.read(folder), time.monotonic() + FIRST_SECONDS
    while owner is not None and not owner.is_gone and time.monotonic() < deadline:
        time.sleep(0.2)


def carry_over(source: Path, target: Path) -> None:
    """Give an attempt what an earlier one left; large files are linked, not copied."""

    def link_or_copy(one: str, other: str) -> str:
        if one.endswith(SHARED):
            with contextlib.suppress(OSError):  # a file system without hard links
                os.link(one, other)
                return other
        return shutil.copy2(one, other)

    def unwanted(folder: str, names: list[str]) -> set[str]:
        own = OF_ONE_ATTEMPT if Path(folder) == source else ()
        return {name for name in names if name in own or name.endswith(".tmp")}

    shutil.copytree(
        source,
        target,
        ignore=unwanted,
        copy_function=link_or_copy,
        symlinks=True,
        dirs_exist_ok=True,
    )


def _replaced(run: Run) -> Path:
    """Where the outdated result lies while the new one takes its place."""
    return run.attempts / "replaced"


def _left_for_others(folder: Path, logged: Collection[str]) -> list[Path]:
    """Files of an attempt that are not written to any more."""
    own = {*OF_ONE_ATTEMPT, CHECKPOINTS, CHECKSUMS, LOG, PROGRESS, *logged}
    files = [file for file in folder.rglob("*") if file.is_file() and file.suffix != ".tmp"]
    return [file for file in files if file.relative_to(folder).parts[0] not in own]


def _at_work(folder: Path, me: Owner) -> bool:
    if status_in(folder)["state"] in ENDED:
        return False
    return is_alive(Owner.read(folder), folder, me)


def _history(folder: Path, now: float) -> dict[str, Any]:
    """When the run first began, and what the attempts up to the one in `folder` did."""
    status, (progress, _) = status_in(folder), readable(folder / PROGRESS, SHAPES[PROGRESS])
    kept = {key: status.get(key) for key in ("attempt", "state", "host", "job", "restarts")}
    steps = {key: progress.get(key) for key in ("resumed_at", "step")}
    return {
        "started": status.get("started", now),
        "attempts": [*status.get("attempts", []), {**kept, **steps}],
    }


def _stop_this_process() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def _who(owner: Owner | None) -> str:
    if owner is None:
        return "another process"
    job = f", job {owner.job}" if owner.job else ""
    return f"process {owner.process} on {owner.host}{job}"
