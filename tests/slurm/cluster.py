"""A real SLURM cluster on one machine, for tests: daemons as plain processes, no systemd.

To look at one by hand, from the repository's root::

    python -m tests.slurm.cluster FOLDER     # Ctrl-C ends it
"""

import atexit
import getpass
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from types import TracebackType

from tests.slurm.accounting import Accounting
from tests.slurm.daemons import STEP_SECONDS, Daemon, free_ports
from tests.slurm.nodes import Node, PlainNode, can_unshare
from tests.slurm.packages import Unavailable, install_missing
from tests.slurm.slurm_conf import Layout, write_files

ENDED = frozenset(
    {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL", "OUT_OF_MEMORY", "PREEMPTED"}
)
READY = frozenset({"idle", "mixed", "allocated", "completing"})


class CommandFailed(RuntimeError):
    """One of SLURM's commands refused; the message holds what it said."""


class Cluster:
    """munged, mariadbd, slurmdbd, slurmctld and one slurmd a node, all on 127.0.0.1.

    Partitions: `main` (default), `low` (its jobs are requeued when main needs their place: first
    the signal that they asked for with --signal, 10 s later the end), `small` (jobs of one
    node) and `brief` (of 30 minutes). GPUs are names without devices behind them: SLURM counts and
    hands them out as usual.

    Args:
        folder: gets configuration and logs; they stay when the cluster stops.
        nodes: how many, called node1, node2, …
        cpus, gpus, memory: what each claims to have; memory in MiB. Nothing is enforced.
        enforce: what of the accounts' limits is, as AccountingStorageEnforce; none if empty. Users then
            need an association, which root has.
    """

    def __init__(
        self,
        folder: Path,
        nodes: int = 2,
        cpus: int = 2,
        gpus: int = 2,
        memory: int = 64000,
        enforce: str = "",
    ) -> None:
        self.folder = Path(folder).resolve()
        self._names = [f"node{index + 1}" for index in range(nodes)]
        self._size = {"cpus": cpus, "gpus": gpus, "memory": memory}
        self._enforce = enforce
        self._run: Path | None = None
        self._daemons: list[Daemon | Accounting] = []
        self.nodes: dict[str, PlainNode] = {}

    @property
    def environment(self) -> dict[str, str]:
        """What to add to a process's environment, so that it and its children use this cluster.

        PATH leads to commands that set SLURM_CONF themselves: code that drops SLURM's variables
        before it submits (`submitit.helpers.clean_env`) finds the cluster, too.
        """
        inherited = os.environ.get("PATH", os.defpath)
        return {
            "SLURM_CONF": str(self.folder / "slurm.conf"),
            "PATH": f"{self.folder / 'bin'}:{inherited}",
        }

    def __enter__(self) -> "Cluster":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start everything and wait until all nodes are idle; nothing if it was started.

        Raises:
            Unavailable: this machine cannot run it.
        """
        if self._run is not None:
            return
        install_missing()
        atexit.register(self.stop)
        # not in the folder: the paths of sockets may have 107 characters
        self._run = Path(tempfile.mkdtemp(prefix="slurm-", dir="/tmp"))
        try:
            self._start(self._layout(self._run))
        except (CommandFailed, TimeoutError) as error:
            self.stop()
            raise Unavailable(f"the cluster does not start: {error}") from error
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End every process of the cluster and of its jobs at once; nothing if it has stopped."""
        for node in self.nodes.values():
            node.kill()
        for daemon in reversed(self._daemons):
            daemon.kill()
        self.nodes, self._daemons = {}, []
        if self._run is not None:
            shutil.rmtree(self._run)
            self._run = None
        atexit.unregister(self.stop)

    def run(self, *words: str) -> str:
        """Run a command that uses this cluster, and return what it prints.

        Raises:
            CommandFailed: its exit status is not 0.
        """
        # looked up here, as subprocess seeks a program in the PATH of this process
        path = shutil.which(words[0], path=self.environment["PATH"]) or words[0]
        done = subprocess.run(
            [path, *words[1:]],
            env=os.environ | self.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        if done.returncode:
            raise CommandFailed(f"{' '.join(words)}: exit {done.returncode}: {done.stderr}")
        return done.stdout

    def job_states(self) -> dict[str, str]:
        """State of every job that the controller remembers, by id (12, or 12_3 in an array)."""
        listed = self.run("squeue", "--noheader", "--array", "--states=all", "--format=%i|%T")
        return dict(line.split("|", 1) for line in listed.split())

    def wait_for_jobs(
        self, ids: Iterable[str], states: Collection[str] = ENDED, timeout: float = 60
    ) -> dict[str, str]:
        """Wait until jobs are in one of some states.

        Args:
            ids: as 12_3, or 12 for a job or all elements of an array.
            states: as RUNNING; by default those of a job that has ended.
            timeout: seconds.

        Returns:
            The state of each, arrays by element.

        Raises:
            TimeoutError: some are not; the message says in which state they are.
        """
        wanted = set(ids)
        seen: dict[str, str] = {}

        def there() -> bool:
            found = self.job_states().items()
            seen.clear()
            seen.update(
                (job, state) for job, state in found if {job, job.partition("_")[0]} & wanted
            )
            known = {job.partition("_")[0] for job in seen} | set(seen)
            return wanted <= known and all(state in states for state in seen.values())

        self._wait(there, timeout, lambda: f"jobs {sorted(wanted)} are {seen}, not {set(states)}")
        return dict(seen)

    def kill_node(self, name: str) -> None:
        """Cut a node's power."""
        self.nodes[name].kill()

    def revive_node(self, name: str) -> None:
        """Power on a node that was killed, and wait until SLURM uses it again."""
        self.nodes[name].start()
        self._wait_for_nodes([name])

    def hang_node(self, name: str) -> None:
        """Freeze slurmd and the processes of its jobs; SLURM will take the node for dead."""
        self.nodes[name].hang()

    def wake_node(self, name: str) -> None:
        """Let all of a frozen node run on, and wait until SLURM uses it again.

        slurmd soon learns that a job was requeued meanwhile, and ends what is left of it.
        """
        self.nodes[name].wake()
        self._wait_for_nodes([name])

    def wake_jobs(self, name: str) -> None:
        """Let a frozen node's jobs run on, but not slurmd.

        They live on beside their requeued copies, and SLURM cannot reach them: a split brain.
        """
        self.nodes[name].wake_jobs()

    def kill_controller(self) -> None:
        """End slurmctld at once; what it has not yet saved is lost."""
        self._controller.kill()

    def start_controller(self) -> None:
        """Start slurmctld, unless it runs, and wait until it answers."""
        if not self._controller.is_alive:
            self._controller.start()
        self._controller.wait_until(self._controller_answers, 30)

    def heal(self) -> None:
        """Cancel all jobs, mend every daemon, and wait until all nodes are idle."""
        self.start_controller()
        for node in self.nodes.values():
            if not node.is_well:
                node.start()
        self.run("scancel", f"--user={getpass.getuser()}")
        self._wait_for_nodes(self.nodes, {"idle"})

    def _layout(self, run: Path) -> Layout:
        controller, accounting, *nodes = free_ports(2 + len(self._names))
        return Layout(
            conf=self.folder / "slurm.conf",
            logs=self.folder / "log",
            run=run,
            controller_port=controller,
            accounting_port=accounting,
            node_ports=dict(zip(self._names, nodes, strict=True)),
            own_hostnames=can_unshare(),
            enforce=self._enforce,
            **self._size,
        )

    def _start(self, layout: Layout) -> None:
        write_files(layout)
        environment = self.environment
        munge = Daemon(
            ["munged", "--foreground", "--force", f"--key-file={layout.munge_key}"]
            + [f"--socket={layout.munge_socket}", f"--pid-file={layout.run}/munged.pid"]
            + [f"--seed-file={layout.run}/munge.seed", f"--log-file={layout.logs}/munged.log"],
            layout.logs / "munged.out",
            environment,
        )
        accounting = Accounting(layout, environment)
        self._controller = Daemon(["slurmctld", "-D"], layout.logs / "slurmctld.out", environment)
        self._daemons = [munge, accounting, self._controller]
        kind = Node if layout.own_hostnames else PlainNode
        self.nodes = {name: kind(name, layout, environment) for name in layout.node_ports}

        munge.start()
        accounting.start()
        munge.wait_until(layout.munge_socket.exists, 10)
        self.run("sacctmgr", "--immediate", "add", "cluster", "tests")
        self.start_controller()
        for node in self.nodes.values():
            node.start()
        self._wait_for_nodes(self.nodes, {"idle"})

    def _controller_answers(self) -> bool:
        try:
            self.run("scontrol", "ping")
        except CommandFailed:
            return False
        return True

    def _node_states(self) -> dict[str, str]:
        listed = self.run("sinfo", "--noheader", "--Node", "--format=%N|%T")
        return dict(line.split("|", 1) for line in listed.split())

    def _wait_for_nodes(
        self, names: Iterable[str], states: Collection[str] = READY, timeout: float = 30
    ) -> None:
        """Wait until nodes are in some states, and make SLURM use those that it set aside."""
        wanted = set(names)
        seen: dict[str, str] = {}

        def there() -> bool:
            seen.update(self._node_states())
            for name in wanted:
                if seen[name].startswith(("drain", "fail")):
                    self.run("scontrol", "update", f"nodename={name}", "state=resume")
            return all(seen[name] in states for name in wanted)

        self._wait(there, timeout, lambda: f"nodes are {seen}, not {set(states)}")

    def _wait(self, there: Callable[[], bool], seconds: float, what: Callable[[], str]) -> None:
        end = time.monotonic() + seconds
        while not there():
            if time.monotonic() > end:
                raise TimeoutError(f"after {seconds} s {what()}; logs in {self.folder / 'log'}")
            time.sleep(2 * STEP_SECONDS)


def main() -> None:
    """Run a cluster until Ctrl-C."""
    try:
        with Cluster(Path(sys.argv[1])) as cluster:
            for key, value in cluster.environment.items():
                print(f"export {key}='{value}'", flush=True)
            signal.pause()
    except (Unavailable, KeyboardInterrupt) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
