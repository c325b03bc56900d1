"""Handing the stages of a plan to SLURM through submitit: all of them, or none."""

import contextlib
import io
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import submitit

from launch.jobs.job import ReportJob, StageJob
from launch.jobs.plan_file import planned_as_json
from launch.jobs.resources import Resources, with_resources
from launch.launchers.base import Work
from launch.plans.graph import Planned
from launch.slurm.batches import Batch
from launch.slurm.commands import cancel, said, slurm
from launch.slurm.records import JobRecord, forget
from motiongpt.errors import UserError
from motiongpt.files import write_json

RECORD = "submission.json"


@dataclass
class Submission:
    """One submission, in a folder of its own.

    Args:
        work: what is submitted.
        folder: for plan files, pickles, outputs and the record.
        options: of every job, as submitit's SLURM executor takes them.
        python: command that starts Python in a job; None for this one.
        max_timeouts: how often a job may reach its time limit.
    """

    work: Work
    folder: Path
    options: Mapping[str, Any]
    python: str | None
    max_timeouts: int
    jobs: dict[str, str] = field(default_factory=dict)
    masters: list[str] = field(default_factory=list)

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
        self.jobs.update(queued)
        self.masters += [job.partition("_")[0] for job in queued.values()]
        self._record("submitting")
        try:
            for batch in batches:
                self._submit_batch(batch)
            self._submit_report(report)
            self._record("submitted")
        except BaseException:
            own = [job for job in self.masters if job not in _masters(queued)]
            cancel(own)
            forget(stage.run for batch in batches for stage in batch.stages)
            raise

    def _submit_batch(self, batch: Batch) -> None:
        waits = [self._dependency(stage) for stage in batch.stages]
        alike = len(set(waits)) == 1
        executor = self._executor(batch.stage, batch.resources, waits[0] if alike else "", alike)
        group = self.work.sweep.group
        tasks = [StageJob(self._plan_file(stage, batch.resources), group) for stage in batch.stages]
        jobs = _submitted(executor, tasks)
        self.masters.append(jobs[0].partition("_")[0])
        for stage, job in zip(batch.stages, jobs, strict=True):
            self.jobs[stage.run.signature] = job
        self._record("submitting")
        if not alike:
            for job, wait in zip(jobs, waits, strict=True):
                if wait:
                    slurm("scontrol", "update", f"jobid={job}", f"dependency={wait}")
            slurm("scontrol", "release", self.masters[-1])
        for stage, job in zip(batch.stages, jobs, strict=True):
            run = stage.run
            JobRecord(
                run.stage, run.signature, job, self.work.sweep.name, str(self.folder), time.time()
            ).write(self.work.root)

    def _submit_report(self, resources: Resources) -> None:
        wait = f"afterany:{':'.join(dict.fromkeys(self.masters))}" if self.masters else ""
        executor = self._executor("report", resources, wait, alike=True)
        executor.update_parameters(array_parallelism=1)
        job = ReportJob(self.work.root, self.work.sweep.name)
        self.masters += _submitted(executor, [job])

    def _dependency(self, stage: Planned) -> str:
        above = [self.jobs[run.signature] for run in stage.parents.values() if not run.is_finished]
        return f"afterok:{':'.join(dict.fromkeys(above))}" if above else ""

    def _executor(
        self, name: str, resources: Resources, dependency: str, alike: bool
    ) -> submitit.SlurmExecutor:
        executor = submitit.SlurmExecutor(
            self.folder, max_num_timeout=self.max_timeouts, python=self.python
        )
        options = {**self.options, **slurm_options(resources)}
        extra = {**options.pop("additional_parameters", {})}
        if dependency:
            options["dependency"] = dependency
            extra["kill-on-invalid-dep"] = "yes"
        if not alike:
            extra["hold"] = True  # until each element knows what it waits for
            extra["kill-on-invalid-dep"] = "yes"
        options["job_name"] = f"{self.work.sweep.name}:{name}"
        executor.update_parameters(**options, additional_parameters=extra)
        return executor

    def _plan_file(self, stage: Planned, resources: Resources) -> Path:
        path = self.folder / "stages" / f"{stage.run.stage}-{stage.run.signature}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(planned_as_json(with_resources(stage, resources)))
        return path

    def _record(self, state: str) -> None:
        write_json(
            self.folder / RECORD,
            {
                "state": state,
                "sweep": self.work.sweep.name,
                "masters": self.masters,
                "jobs": self.jobs,
                "options": dict(self.options),
                "time": round(time.time(), 3),
            },
        )


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


def _submitted(executor: submitit.SlurmExecutor, tasks: Sequence[Any]) -> list[str]:
    """Ids of the jobs.

    Raises:
        UserError: sbatch refused.
    """
    try:
        # submitit repeats what sbatch complains of; it is said once, in the exception.
        with contextlib.redirect_stderr(io.StringIO()), executor.batch():
            jobs = [executor.submit(task) for task in tasks]
    except (submitit.core.utils.FailedJobError, submitit.core.utils.FailedSubmissionError) as error:
        raise UserError(f"SLURM refused the jobs: {said(str(error))}") from error
    return [job.job_id for job in jobs]


def _masters(queued: Mapping[str, str]) -> set[str]:
    return {job.partition("_")[0] for job in queued.values()}
