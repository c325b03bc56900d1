"""Server processes of a cluster, run in the foreground of a session of their own."""

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from signal import SIGKILL, Signals

import psutil

from tests.slurm.packages import Unavailable, program

STEP_SECONDS = 0.05


class Daemon:
    """One server process.

    It is in a session of its own, so that Ctrl-C reaches the tests alone, and the kernel kills it
    when the thread that started it ends, so that it cannot outlive a test run that was killed.
    """

    def __init__(self, words: Sequence[str], log: Path, environment: Mapping[str, str]) -> None:
        self.words = words
        self.log = log
        self.environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """Number of the process, running or ended; None before the first start."""
        return None if self._process is None else self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it runs (or is stopped), as far as this machine knows."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; output is added to the log."""
        name, *words = self.words
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", program(name) or name, *words],
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """End it and what it started at once; no error if it does not run."""
        if self._process is None or self._process.poll() is not None:
            return
        with suppress(psutil.NoSuchProcess):  # it may end by itself just now
            process = psutil.Process(self._process.pid)
            signal_all([*process.children(recursive=True), process], SIGKILL)
        self._process.wait()

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until it serves.

        Raises:
            Unavailable: it ended, or is not ready in time.
        """
        end = time.monotonic() + seconds
        while not ready():
            if not self.is_alive or time.monotonic() > end:
                what = "does not answer" if self.is_alive else "ended at once"
                said = self.log.read_text(errors="replace").strip().splitlines() or ["nothing"]
                raise Unavailable(f"{self.words[0]} {what}; last in {self.log}: {said[-1]}")
            time.sleep(STEP_SECONDS)


def signal_all(processes: Iterable[psutil.Process], number: Signals) -> None:
    """Send a signal to each; those that have ended meanwhile are no error."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def answers(family: socket.AddressFamily, address: tuple[str, int] | str) -> bool:
    """Whether something accepts connections at an address."""
    with socket.socket(family) as client:
        return client.connect_ex(address) == 0


def free_ports(count: int) -> list[int]:
    """Ports on which nothing listens.

    They lie below those that the kernel hands to clients, so that one which a killed daemon leaves
    is still free when it returns.
    """
    found: list[int] = []
    first = 20000 + os.getpid() % 1000 * 10
    for port in range(first, 32000):
        with socket.socket() as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                server.bind(("", port))  # as SLURM does
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise Unavailable(f"no {count} free ports between {first} and 32000")
