"""What SLURM says of the jobs below a root, and cancelling them."""

from collections.abc import Sequence
from pathlib import Path

from launch.jobs.records import JobRecord
from launch.jobs.state import JobState
from launch.slurm.commands import cancel, job_states, queue
from launch.slurm.submission_record import submission_records


class SlurmJobs:
    """Answers for all jobs that were submitted to SLURM, and for no others."""

    @staticmethod
    def job_states(jobs: Sequence[JobRecord]) -> dict[str, JobState]:
        """How those of `jobs` are that SLURM remembers, live or ended, by id."""
        return job_states({one.job: one.name for one in jobs})

    @staticmethod
    def live_jobs(root: Path) -> list[tuple[JobRecord, JobState]]:
        """Every job below `root` that runs or will run, recorded stage or not."""
        records = submission_records(root)
        if not records:
            return []
        waiting = queue()
        return [job for record in records for job in record.live_jobs(waiting)]

    @staticmethod
    def cancel(jobs: Sequence[JobRecord]) -> None:
        """Cancel jobs that `live_jobs` gave; those that have ended meanwhile are no error."""
        cancel([one.job for one in jobs])
