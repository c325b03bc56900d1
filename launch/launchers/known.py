"""The jobs of all launchers, asked for together: a root may hold some of each."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from launch.jobs.process_jobs import ProcessJobs
from launch.jobs.records import PROCESSES, SLURM, JobRecord
from launch.jobs.state import JobState
from launch.launchers.base import JobKeeper
from launch.slurm.jobs import SlurmJobs

KEEPERS: Mapping[str, JobKeeper] = {SLURM: SlurmJobs(), PROCESSES: ProcessJobs()}


def job_states(jobs: Sequence[JobRecord]) -> dict[str, JobState]:
    """How those of `jobs` are that their launchers remember, live or ended, by id."""
    found: dict[str, JobState] = {}
    for launcher, own in _by_launcher(jobs).items():
        found |= KEEPERS[launcher].job_states(own)
    return found


def live_jobs(root: Path) -> list[tuple[JobRecord, JobState]]:
    """Every job below `root` that runs or will run, recorded stage or not."""
    return [job for keeper in KEEPERS.values() for job in keeper.live_jobs(root)]


def cancel(jobs: Sequence[JobRecord]) -> None:
    """Cancel jobs that `live_jobs` gave; those that have ended meanwhile are no error."""
    for launcher, own in _by_launcher(jobs).items():
        KEEPERS[launcher].cancel(own)


def _by_launcher(jobs: Sequence[JobRecord]) -> dict[str, list[JobRecord]]:
    found: dict[str, list[JobRecord]] = {}
    for job in jobs:
        found.setdefault(job.launcher, []).append(job)
    return found
