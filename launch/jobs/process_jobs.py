"""Sweeps that processes of this machine carry out: which there are, and asking them to stop.

A launcher's process signs the folder of its submission; the stages that it runs name it, in the
id that the local launcher gives them, or are run by it itself.
"""

import contextlib
import os
import signal
import socket
from collections.abc import Sequence
from pathlib import Path

import psutil

from launch.jobs.records import PROCESSES, JobRecord
from launch.jobs.state import JobState
from launch.runs.ledger import all_runs
from launch.runs.owner import OWNER, Owner

LAUNCHER = "launcher"


class ProcessJobs:
    """Answers for all that processes of this machine do for sweeps."""

    @staticmethod
    def job_states(jobs: Sequence[JobRecord]) -> dict[str, JobState]:
        """Those that run; of what has ended, the run's own folder tells."""
        return {
            one.job: _running()
            for one in jobs
            if psutil.pid_exists(int(one.job.rpartition(":")[2]))
        }

    @staticmethod
    def live_jobs(root: Path) -> list[tuple[JobRecord, JobState]]:
        """The launchers' processes, and the first process of each stage that runs."""
        launchers = _launchers(root)
        sweeps = {job.job: job.sweep for job in launchers}
        return [(job, _running()) for job in [*launchers, *_stages(root, sweeps)]]

    @staticmethod
    def cancel(jobs: Sequence[JobRecord]) -> None:
        """Ask them to stop; a launcher passes it on to the stages that it runs."""
        told = {job.sweep for job in jobs if job.stage == LAUNCHER}
        asked = {job.job for job in jobs if job.stage == LAUNCHER or job.sweep not in told}
        for job in asked:
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.kill(int(job.rpartition(":")[2]), signal.SIGTERM)


def process_id(owner: Owner) -> str:
    """Id of the job that a process is."""
    return f"{owner.host}:{owner.process}"


def _launchers(root: Path) -> list[JobRecord]:
    found = []
    for file in sorted((Path(root) / "sweeps").glob(f"*/submissions/*/{OWNER}")):
        owner, sweep = Owner.read(file.parent), file.parents[2].name
        if owner is not None and _is_here(owner):
            found.append(_record(LAUNCHER, "", process_id(owner), sweep, file.parent))
    return found


def _stages(root: Path, sweeps: dict[str, str]) -> list[JobRecord]:
    """Stages that run here, and not by SLURM.

    Args:
        sweeps: of the launchers, by the ids of their processes.
    """
    found = []
    for run in all_runs(root):
        owner = Owner.read(run.where)
        if owner is None or owner.is_slurms or run.state != "running" or not _is_here(owner):
            continue
        launcher = owner.job.rpartition(":")[0]
        sweep = sweeps.get(launcher or process_id(owner), "")
        found.append(_record(run.stage, run.signature, process_id(owner), sweep, run.where))
    return found


def _record(stage: str, signature: str, job: str, sweep: str, log: Path) -> JobRecord:
    return JobRecord(stage, signature, job, sweep, str(log), 0.0, launcher=PROCESSES)


def _running() -> JobState:
    return JobState("RUNNING", socket.gethostname(), in_queue=True)


def _is_here(owner: Owner) -> bool:
    return owner.host == socket.gethostname() and not owner.is_gone
