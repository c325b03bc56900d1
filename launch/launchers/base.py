"""What every launcher is, and what it is given."""

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from launch.jobs.records import JobRecord
from launch.jobs.state import JobState
from launch.jobs.work import Work


class JobKeeper(Protocol):
    """Answers for the jobs of one kind of launcher, with whatever options they were submitted."""

    @staticmethod
    def job_states(jobs: Sequence[JobRecord]) -> dict[str, JobState]:
        """How those of `jobs` are that it remembers, live or ended, by id."""
        ...

    @staticmethod
    def live_jobs(root: Path) -> list[tuple[JobRecord, JobState]]:
        """Every job below `root` that runs or will run, recorded stage or not."""
        ...

    @staticmethod
    def cancel(jobs: Sequence[JobRecord]) -> None:
        """Cancel jobs that `live_jobs` gave; those that have ended meanwhile are no error."""
        ...


class Launcher(JobKeeper, Protocol):
    """Runs the unfinished stages of a plan somewhere; built by Hydra from conf/launcher."""

    def describe(self, work: Work) -> str:
        """The plan as a person wants to see it: jobs, what they wait for, what they cost.

        Raises:
            UserError: resources that can't be had, as far as that is known without asking.
        """
        ...

    def launch(self, work: Work, wait: bool) -> bool:
        """Run, or hand over, what is unfinished.

        Args:
            wait: return only when all jobs have ended.

        Returns:
            Whether all of it has ended, so that the sweep can be reported now.

        Raises:
            UserError: it can't be run there; nothing was left half-submitted.
        """
        ...
