"""Who writes an attempt, and whether they still live.

Neither a lock of the operating system nor a process number means anything on another node, so the
writer leaves a heartbeat: a file that it touches. Its age is measured by the file system's own
clock, which all nodes share.
"""

import contextlib
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

from motiongpt.files import read_json, write_json

OWNER, HEARTBEAT = "owner.json", "heartbeat"
BEAT_SECONDS = 5.0
STALE_SECONDS = 60.0
"""Silence after which a writer counts as gone. If it was only asleep, it finds itself fenced."""


@dataclass(frozen=True)
class Owner:
    """A process.

    Attributes:
        host, process, born: name of the node, process number, its start in Unix seconds.
        job: id of the scheduler's job, empty without one.
        restarts: how often the scheduler has started that job before.
    """

    host: str
    process: int
    born: float
    job: str = ""
    restarts: int = 0

    @classmethod
    def this_process(cls) -> "Owner":
        """The process that asks."""
        array, task = os.environ.get("SLURM_ARRAY_JOB_ID"), os.environ.get("SLURM_ARRAY_TASK_ID")
        return cls(
            host=socket.gethostname(),
            process=os.getpid(),
            born=psutil.Process().create_time(),
            job=f"{array}_{task}" if array else os.environ.get("SLURM_JOB_ID", _local_job()),
            restarts=int(os.environ.get("SLURM_RESTART_COUNT", 0)),
        )

    @classmethod
    def read(cls, folder: Path) -> "Owner | None":
        """The owner of an attempt; None while it is just being made."""
        found = read_json(Path(folder) / OWNER, None)
        return None if found is None else cls(**found)

    def write(self, folder: Path) -> None:
        """Sign an attempt."""
        write_json(Path(folder) / OWNER, asdict(self))

    @property
    def is_slurms(self) -> bool:
        """Whether it runs in a job of SLURM: the ids that launchers of processes give have a :."""
        return bool(self.job) and ":" not in self.job

    @property
    def is_gone(self) -> bool:
        """Whether the process is known to have ended: only this very node can tell."""
        if self.host != socket.gethostname():
            return False
        try:
            return abs(psutil.Process(self.process).create_time() - self.born) > 1
        except psutil.NoSuchProcess:
            return True


def is_alive(owner: Owner | None, folder: Path, me: Owner | None = None) -> bool:
    """Whether the writer of the attempt in `folder` must be taken to be at work.

    Args:
        owner: who signed it; None for an attempt that has not been signed yet.
        me: who asks. A scheduler that starts a job again has ended its earlier start.
    """
    if owner is not None:
        if owner.is_gone:
            return False
        if me is not None and owner.job and owner.job == me.job and owner.restarts < me.restarts:
            return False
    return silence(folder) < STALE_SECONDS


def silence(folder: Path) -> float:
    """Seconds since the heartbeat in `folder`, by the clock of its file system."""
    try:
        with (folder / HEARTBEAT).open("rb") as stream:  # opening makes NFS look again
            beat = os.fstat(stream.fileno()).st_mtime
    except FileNotFoundError:
        try:
            beat = folder.stat().st_mtime
        except FileNotFoundError:
            return float("inf")
    try:
        with tempfile.TemporaryFile(dir=folder) as stream:
            return os.fstat(stream.fileno()).st_mtime - beat
    except OSError:  # a folder that can only be read: its clock is unknown, ours must do
        return time.time() - beat


class Heartbeat:
    """Keeps saying, from a thread of its own, that the writer of a folder lives.

    Args:
        folder: in which the heartbeat file is touched.
        lost: asked at each beat; once it is true, the heartbeat ends and `alarm` is called.
        alarm: what to do then.
    """

    def __init__(self, folder: Path, lost: Callable[[], bool], alarm: Callable[[], None]) -> None:
        self.path, self.lost, self.alarm = Path(folder) / HEARTBEAT, lost, alarm
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def start(self) -> None:
        """Make the file and begin."""
        self.path.touch()
        self._thread.start()

    def stop(self) -> None:
        """End; does nothing if it has not begun."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _beat(self) -> None:
        while not self._over.wait(BEAT_SECONDS):
            with contextlib.suppress(OSError):  # a file system that is away for a moment
                os.utime(self.path)
                if self.lost():
                    self.alarm()
                    return


def _local_job() -> str:
    """Id that the local launcher gives to the processes of one job."""
    return os.environ.get("MOTIONGPT_JOB", "")
