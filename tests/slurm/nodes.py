"""Compute nodes: slurmd with all that it runs."""

import os
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from signal import SIGCONT, SIGKILL, SIGSTOP

import psutil

from tests.slurm.daemons import Daemon, signal_all
from tests.slurm.packages import program
from tests.slurm.slurm_conf import Layout

NAMESPACES = ("unshare", "--mount", "--uts")
BOOT = 'hostname "$1" && mount --bind "$2" /etc/hosts && exec "$3" -D -N "$1"'


def can_unshare() -> bool:
    """Whether this user may give a node a host name and an /etc/hosts of its own."""
    words = [*NAMESPACES, "mount", "--bind", "/etc/hosts", "/etc/hosts"]
    return subprocess.run(words, capture_output=True).returncode == 0


class PlainNode:
    """A node where namespaces are refused: slurmd, and what looks as if slurmd had started it.

    All nodes then have this machine's host name. A job's process that drops SLURM's variables is
    not found.
    """

    def __init__(self, name: str, layout: Layout, environment: Mapping[str, str]) -> None:
        self.name = name
        self.layout = layout
        self.daemon = Daemon(self._words(), layout.logs / f"slurmd-{name}.out", environment)
        self._is_frozen = False

    @property
    def is_well(self) -> bool:
        """Whether its slurmd runs and is not frozen."""
        return self.daemon.is_alive and not self._is_frozen

    def start(self) -> None:
        """Power on, after a power cut if it still runs."""
        self.kill()
        self.daemon.start()

    def kill(self) -> None:
        """Power cut: slurmd and the processes of its jobs end at once.

        They are frozen first, lest slurmstepd should still tell SLURM how its job ended.
        """
        self.hang()
        while lost := self.processes():
            signal_all(lost, SIGKILL)
        self.daemon.kill()
        self._is_frozen = False

    def hang(self) -> None:
        """Freeze every process."""
        self._is_frozen = True
        while awake := [each for each in self.processes() if not _is_stopped(each)]:
            signal_all(awake, SIGSTOP)

    def wake(self) -> None:
        """Let every process run on."""
        signal_all(self.processes(), SIGCONT)
        self._is_frozen = False

    def wake_jobs(self) -> None:
        """Let the jobs run on while slurmd stays frozen, as on a node cut off from the network."""
        signal_all((each for each in self.processes() if each.pid != self.daemon.pid), SIGCONT)

    def processes(self) -> list[psutil.Process]:
        """Those of the node that have not ended."""
        return [process for process in psutil.process_iter() if self._owns(process)]

    def _words(self) -> list[str]:
        return ["slurmd", "-D", "-N", self.name]

    def _owns(self, process: psutil.Process) -> bool:
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            if process.name().startswith("slurm"):  # slurmd and slurmstepd write the node's log
                log = str(self.layout.logs / f"slurmd-{self.name}.log")
                return any(file.path == log for file in process.open_files())
            found = process.environ()
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            return False
        return found.get("SLURMD_NODENAME") == self.name and found.get("SLURM_CONF") == str(
            self.layout.conf
        )


class Node(PlainNode):
    """A node with a host name and an /etc/hosts of its own: by them its processes are known.

    They keep the process numbers of this machine, so that a test may signal one.
    """

    _namespace: int | None = None
    """Descriptor of the namespace; as long as it is open, no other namespace gets its number."""

    def start(self) -> None:
        """Power on, after a power cut if it still runs."""
        super().start()
        self.daemon.wait_until(self._has_namespace, 10)
        self._namespace = os.open(f"/proc/{self.daemon.pid}/ns/uts", os.O_RDONLY)

    def kill(self) -> None:
        """Power cut: slurmd and the processes of its jobs end at once."""
        super().kill()
        if self._namespace is not None:
            os.close(self._namespace)
            self._namespace = None

    def _words(self) -> list[str]:
        slurmd = program("slurmd") or "slurmd"
        return [*NAMESPACES, "sh", "-c", BOOT, "sh", self.name, str(self.layout.hosts), slurmd]

    def _has_namespace(self) -> bool:
        return _uts(str(self.daemon.pid)) not in (None, _uts("self"))

    def _owns(self, process: psutil.Process) -> bool:
        if self._namespace is None:
            return False
        return _uts(str(process.pid)) == os.fstat(self._namespace).st_ino


def _uts(process: str) -> int | None:
    """Number of a process's host name's namespace; None if it has ended."""
    with suppress(OSError):
        return os.stat(f"/proc/{process}/ns/uts").st_ino
    return None


def _is_stopped(process: psutil.Process) -> bool:
    """Whether it takes no part any more; an ended one does not."""
    try:
        return process.status() in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True
