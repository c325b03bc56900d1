"""The configuration files of a cluster whose nodes are all on this machine."""

import getpass
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.slurm.packages import program

HOST = "127.0.0.1"
COMMANDS = "sbatch srun salloc scancel squeue sinfo scontrol"
COMMANDS += " sacct sacctmgr sattach sstat sbcast sdiag"


@dataclass(frozen=True)
class Layout:
    """Where everything is, and how large.

    Attributes:
        conf: path of slurm.conf.
        logs: folder of the daemons' logs.
        run: folder of sockets, state and spool; its path is short, as a socket's path may have
            107 characters, and slurmstepd's have a long name.
        controller_port, accounting_port: ports of slurmctld and slurmdbd.
        node_ports: port of slurmd by name of node.
        cpus, gpus, memory: of each node; memory in MiB.
        own_hostnames: whether each node has its own.
        enforce: which limits of the accounts hold; empty for none.
    """

    conf: Path
    logs: Path
    run: Path
    controller_port: int
    accounting_port: int
    node_ports: Mapping[str, int]
    cpus: int
    gpus: int
    memory: int
    own_hostnames: bool
    enforce: str

    @property
    def commands(self) -> Path:
        """Folder of SLURM's commands for this cluster."""
        return self.conf.with_name("bin")

    @property
    def hosts(self) -> Path:
        """What the nodes have as /etc/hosts."""
        return self.conf.with_name("hosts")

    @property
    def munge_key(self) -> Path:
        """Secret of munged."""
        return self.run / "munge.key"

    @property
    def munge_socket(self) -> Path:
        """Where munged listens."""
        return self.run / "munge.sock"

    @property
    def prolog(self) -> Path:
        """Script run before each task where nodes have no host names of their own.

        What looks for the first node's address (Lightning, for one) asks for its name otherwise.
        """
        return self.conf.with_name("task_prolog.sh")


def write_files(layout: Layout) -> None:
    """Write what the daemons and commands read."""
    for folder in (layout.logs, layout.commands, layout.run / "state"):
        folder.mkdir(parents=True, exist_ok=True)
    layout.conf.write_text(slurm_conf(layout))
    layout.conf.with_name("gres.conf").write_text(gres_conf(layout))
    layout.hosts.write_text(hosts_file(layout))
    for index in range(layout.gpus):
        (layout.run / f"gpu{index}").symlink_to("/dev/null")
    layout.munge_key.touch(mode=0o600)
    layout.munge_key.write_bytes(os.urandom(128))
    _write_script(layout.prolog, f"echo export MASTER_ADDR={HOST}")
    for command in COMMANDS.split():
        line = f'SLURM_CONF="{layout.conf}" exec {program(command)} "$@"'
        _write_script(layout.commands / command, line)


def _write_script(path: Path, line: str) -> None:
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)


def slurm_conf(layout: Layout) -> str:
    """Text of slurm.conf."""
    user = getpass.getuser()
    return f"""\
ClusterName=tests
SlurmctldHost={socket.gethostname().partition(".")[0]}({HOST})
SlurmctldPort={layout.controller_port}
SlurmUser={user}
SlurmdUser={user}

# A requeued job may not start again before the credential of its last start has expired.
AuthInfo=socket={layout.munge_socket},cred_expire=5

StateSaveLocation={layout.run}/state
SlurmdSpoolDir={layout.run}/spool-%n
SlurmctldPidFile={layout.run}/slurmctld.pid
SlurmdPidFile={layout.run}/slurmd-%n.pid
SlurmctldLogFile={layout.logs}/slurmctld.log
SlurmdLogFile={layout.logs}/slurmd-%n.log
SlurmctldDebug=verbose
SlurmdDebug=verbose

# Nodes are what this file says, not what this machine is; no cgroups.
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=5
{"" if layout.own_hostnames else f"TaskProlog={layout.prolog}"}

SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU={layout.memory // layout.cpus}
GresTypes=gpu

# Start what can start at once; look for more every second.
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
PriorityType=priority/basic

# Preemption sends the signal that the job asked for (--signal), where SLURM's default is SIGTERM.
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
JobRequeue=1

# DependencyParameters=kill_invalid_depend is not set, as it is not on most clusters: a job whose
# parent fails must ask for its own end with --kill-on-invalid-dep=yes.

# Seconds until something counts as lost; SLURM's defaults are minutes.
SlurmdTimeout=4
SlurmctldTimeout=10
MessageTimeout=3
TCPTimeout=2
BatchStartTimeout=10
KillWait=3
CompleteWait=0
# A node that comes back is used again, whatever it was lost for.
ReturnToService=2

AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost={HOST}
AccountingStoragePort={layout.accounting_port}
AccountingStoragePass={layout.munge_socket}
AccountingStorageTRES=gres/gpu
{f"AccountingStorageEnforce={layout.enforce}" if layout.enforce else ""}

{_nodes(layout)}

PartitionName=DEFAULT Nodes=ALL MaxTime=INFINITE DefaultTime=60 State=UP PriorityTier=10
PartitionName=main Default=YES PreemptMode=OFF
PartitionName=low PriorityTier=1 PreemptMode=REQUEUE GraceTime=10
PartitionName=small MaxNodes=1 PreemptMode=OFF
PartitionName=brief MaxTime=30 PreemptMode=OFF
"""


def _nodes(layout: Layout) -> str:
    here = socket.gethostname().partition(".")[0]
    gpus = f" Gres=gpu:{layout.gpus}" if layout.gpus else ""
    return "\n".join(
        f"NodeName={name} NodeHostname={name if layout.own_hostnames else here} NodeAddr={HOST} "
        f"Port={port} CPUs={layout.cpus} RealMemory={layout.memory}{gpus}"
        for name, port in layout.node_ports.items()
    )


def gres_conf(layout: Layout) -> str:
    """Text of gres.conf.

    A GPU is a character device to SLURM. Links to /dev/null serve, and need no right to make
    devices; the number at the end of the name becomes CUDA_VISIBLE_DEVICES.
    """
    return "".join(f"Name=gpu File={layout.run}/gpu{index}\n" for index in range(layout.gpus))


def slurmdbd_conf(layout: Layout) -> str:
    """Text of slurmdbd.conf."""
    return f"""\
DbdHost={socket.gethostname().partition(".")[0]}
DbdAddr={HOST}
DbdPort={layout.accounting_port}
SlurmUser={getpass.getuser()}
AuthType=auth/munge
AuthInfo={layout.munge_socket}
LogFile={layout.logs}/slurmdbd.log
PidFile={layout.run}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser=root
StorageLoc=slurm
CommitDelay=0
"""


def hosts_file(layout: Layout) -> str:
    """Text of /etc/hosts as the nodes see it."""
    return f"{HOST} localhost {' '.join(layout.node_ports)} {socket.gethostname()}\n"
