"""Handing the stages of a plan to SLURM through submitit: all of them, or none."""

import contextlib
import io
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import submitit

from launch.jobs.job import StageJob
from launch.jobs.plan_file import planned_as_json
from launch.jobs.records import forget, job_of
from launch.jobs.resources import Resources, with_resources
from launch.jobs.work import Work
from launch.plans.graph import Planned
from launch.slurm.batches import Batch
from launch.slurm.commands import cancel, queue, said, slurm
from launch.slurm.folders import without_patterns
from launch.slurm.submission_record import SUBMITTED, SubmissionRecord
from motiongpt.errors import UserError


@dataclass
class Submission:
    """One submission, in a folder of its own.

    Args:
        work: what is submitted.
        record: of it, in the folder for plan files, pickles and outputs.
        options: of every job, as submitit's SLURM executor takes them.
        python: command that starts Python in a job; None for this one.
        max_timeouts: how often a job may reach its time limit.
        still_alone: raises a UserError if another submission goes on in this one's place.
    """

    work: Work
    record: SubmissionRecord
    options: Mapping[str, Any]
    python: str | None
    max_timeouts: int
    still_alone: Callable[[], None]

    def submit(
        self, batches: Sequence[Batch], queued: Mapping[str, str], report: Resources
    ) -> None:
        """Submit all batches, and the report that waits for them.

        Args:
            batches: parents before children.
            queued: signature -> job that an earlier submission gave the stage to.
            report: resources of the report.

        Raises:
            UserError: SLURM refuses; what was submitted before is cancelled.
            OSError: a file can't be written; likewise.
        """
        self.record.write()
        try:
            for batch in batches:
                self._submit_batch(batch, queued)
            self._submit_report(queued, report)
            self.still_alone()
            self.record.state = SUBMITTED
            self.record.write()
        except BaseException:
            self._take_back(batches)
            raise

    def _submit_batch(self, batch: Batch, queued: Mapping[str, str]) -> None:
        known = {**queued, **self.record.jobs}
        waits = [_dependency(stage, known) for stage in batch.stages]
        alike = len(set(waits)) == 1
        executor = self._executor(batch.stage, batch.resources, waits[0] if alike else "", alike)
        group = self.work.group
        tasks = [StageJob(self._plan_file(stage, batch.resources), group) for stage in batch.stages]
        jobs = self._submitted(executor, tasks)
        for stage, job in zip(batch.stages, jobs, strict=True):
            self.record.jobs[stage.run.signature] = job
        self.record.write()
        if not alike:
            for job, wait in zip(jobs, waits, strict=True):
                if wait:
                    slurm("scontrol", "update", f"jobid={job}", f"dependency={wait}")
            slurm("scontrol", "release", self.record.masters[-1])
        for stage, job in zip(batch.stages, jobs, strict=True):
            run = stage.run
            self.record.job_record(run.stage, run.signature, job).write(self.work.root)

    def _submit_report(self, queued: Mapping[str, str], resources: Resources) -> None:
        wait = f"afterany:{':'.join([*queued.values(), *self.record.masters])}"
        executor = self._executor("report", resources, wait, alike=True)
        executor.update_parameters(array_parallelism=1)
        self._submitted(executor, [self.work.report])
        self.record.write()

    def _executor(
        self, name: str, resources: Resources, dependency: str, alike: bool
    ) -> submitit.SlurmExecutor:
        executor = submitit.SlurmExecutor(
            without_patterns(self.record.folder),
            max_num_timeout=self.max_timeouts,
            python=self.python,
        )
        options = {**self.options, **slurm_options(resources)}
        extra = {**options.pop("additional_parameters", {})}
        if dependency:
            options["dependency"] = dependency
            extra["kill-on-invalid-dep"] = "yes"
        if not alike:
            extra["hold"] = True  # until each element knows what it waits for
            extra["kill-on-invalid-dep"] = "yes"
        options["job_name"] = self.record.job_name(name)
        executor.update_parameters(**options, additional_parameters=extra)
        return executor

    def _submitted(
        self, executor: submitit.SlurmExecutor, tasks: Sequence[Callable[[], str]]
    ) -> list[str]:
        """Ids of the jobs; the record has their array's.

        Raises:
            UserError: sbatch refused, or another submission has begun.
        """
        self.still_alone()
        try:
            # submitit repeats what sbatch complains of; it is said once, in the exception.
            with contextlib.redirect_stderr(io.StringIO()), executor.batch():
                jobs = [executor.submit(task) for task in tasks]
        except (
            submitit.core.utils.FailedJobError,
            submitit.core.utils.FailedSubmissionError,
        ) as error:
            raise UserError(f"SLURM refused the jobs: {said(str(error))}") from error
        self.record.masters.append(jobs[0].job_id.partition("_")[0])
        return [job.job_id for job in jobs]

    def _take_back(self, batches: Sequence[Batch]) -> None:
        """Cancel all its jobs, and drop the records of those that are still its own."""
        try:
            # Asked of the queue: an array that sbatch was just submitting has no number here.
            cancel([job.job for job, _ in self.record.live_jobs(queue())])
        except UserError as error:
            later = "the next submission, or `motiongpt cancel --all`, cancels what was submitted"
            print(f"{error}; {later}", file=sys.stderr, flush=True)
        for run in (stage.run for batch in batches for stage in batch.stages):
            known = job_of(run)  # a successor may have written its own meanwhile
            if known is not None and known.name == self.record.job_name(run.stage):
                forget([run])

    def _plan_file(self, stage: Planned, resources: Resources) -> Path:
        path = self.record.folder / "stages" / f"{stage.run.stage}-{stage.run.signature}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(planned_as_json(with_resources(stage, resources)))
        return path


def slurm_options(resources: Resources) -> dict[str, Any]:
    """What submitit's SLURM executor calls these resources."""
    options: dict[str, Any] = {
        "nodes": resources.nodes,
        "ntasks_per_node": resources.per_node,
        "cpus_per_task": resources.cpus,
        "mem": f"{max(1, round(resources.memory_gb * 1024))}M",
    }
    if resources.minutes is not None:
        options["time"] = resources.minutes
    if resources.gpus:
        options["gpus_per_node"] = resources.gpus
    return options


def _dependency(stage: Planned, jobs: Mapping[str, str]) -> str:
    above = [jobs[run.signature] for run in stage.parents.values() if not run.is_finished]
    return f"afterok:{':'.join(dict.fromkeys(above))}" if above else ""
