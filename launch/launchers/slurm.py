"""A SLURM cluster: job arrays that wait for each other, and a report at the end."""

import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from launch.jobs.estimate import cost_lines, planned_job
from launch.jobs.records import forget, job_of
from launch.jobs.resources import Resources, resources_for
from launch.jobs.submission_lock import submitting
from launch.jobs.work import Work
from launch.plans.graph import Planned
from launch.runs.snapshot import take_snapshot
from launch.slurm.batches import Batch, batches_of
from launch.slurm.commands import queue
from launch.slurm.jobs import SlurmJobs
from launch.slurm.preflight import check_resources
from launch.slurm.qos import check_limits, check_number, qos_limits
from launch.slurm.submission import Submission
from launch.slurm.submission_record import SUBMITTED, SubmissionRecord, submission_records
from launch.tables import text_table
from motiongpt.errors import UserError

OF_THE_REPORT: Mapping[str, Any] = {"nodes": 1, "gpus": 0, "cpus": 1, "minutes": 20}
OWN_OPTIONS = ("job-name", "array", "dependency", "hold", "output", "error", "open-mode", "signal")
"""Of sbatch, set by the launcher itself: jobs are known by their names."""
ENDING_SECONDS = 60.0
_say = partial(print, flush=True)


class SlurmLauncher(SlurmJobs):
    """One job a stage; stages that differ only in parameters are one array.

    Args:
        resources: of every job, see `Resources`.
        stages: stage -> what of its resources differs.
        partition, account, qos, constraint: as sbatch takes them; None for the cluster's default.
        array_parallelism: elements of one array that run at once.
        largest_array: elements that one array may have (MaxArraySize of the cluster).
        setup: shell lines before Python starts, as `module load cuda`.
        python: shell words that start Python in a job, as `apptainer exec --nv image.sif python`;
            None for the Python that submits.
        signal_seconds: ahead of a time limit, so that a checkpoint can be written.
        max_timeouts: how often one job may reach its time limit and go on.
        additional: any other option of sbatch, by its long name.
    """

    def __init__(
        self,
        resources: Mapping[str, Any],
        stages: Mapping[str, Mapping[str, Any]],
        partition: str | None,
        account: str | None,
        qos: str | None,
        constraint: str | None,
        array_parallelism: int,
        largest_array: int,
        setup: Sequence[str],
        python: str | None,
        signal_seconds: int,
        max_timeouts: int,
        additional: Mapping[str, Any],
    ) -> None:
        self.resources, self.stages = dict(resources), {k: dict(v) for k, v in stages.items()}
        named = {
            "partition": partition,
            "account": account,
            "qos": qos,
            "constraint": constraint,
        }
        self.where = {key: str(value) for key, value in named.items() if value}
        self.array_parallelism, self.largest_array = array_parallelism, largest_array
        self.setup, self.python = list(setup), python
        self.signal_seconds, self.max_timeouts = signal_seconds, max_timeouts
        self.additional = dict(additional)
        for name in self.additional:
            if name.replace("_", "-") in OWN_OPTIONS:
                raise UserError(f"launcher.additional.{name}: set by launcher=slurm itself")

    def describe(self, work: Work) -> str:
        """Arrays, their resources, what they wait for, GPU hours."""
        resources = self._resources(work.unfinished)
        batches = batches_of(work.unfinished, resources, self.largest_array)
        rows = [
            [
                batch.stage,
                str(len(batch.stages)),
                str(batch.resources),
                "-" if batch.resources.minutes is None else f"{batch.resources.minutes} min",
                ", ".join(batch.waits_for()) or "-",
            ]
            for batch in batches
        ]
        if not rows:
            return "nothing to submit"
        pairs = [(stage, batch.resources) for batch in batches for stage in batch.stages]
        return "\n".join(
            [
                text_table(["array", "jobs", "each", "limit", "waits for"], rows),
                "and a report when all have ended",
                *cost_lines([planned_job(*pair, here=False) for pair in pairs], work.root),
            ]
        )

    def launch(self, work: Work, wait: bool) -> bool:
        """Submit what no earlier submission has submitted."""
        unfinished = work.unfinished
        if not unfinished:
            return True
        resources = self._resources(unfinished)
        report = Resources(**{**OF_THE_REPORT, **self.stages.get("report", {})})
        kinds, options = {*resources.values(), report}, {**self.where, **self.additional}
        check_resources(kinds, options)
        limits = qos_limits(options)
        check_limits(kinds, limits)
        with submitting(work.root, _say) as still_alone:
            _clear_broken_submissions(work.root)
            queued = _queued(unfinished)
            fresh = [stage for stage in unfinished if stage.run.signature not in queued]
            if fresh or not self._is_open(work):
                check_number(len(fresh) + 1, limits)
                batches = batches_of(fresh, resources, self.largest_array)
                self._submit(work, batches, queued, report, still_alone)
            else:
                _say(f"all {len(unfinished)} jobs are in SLURM's hands already")
        _say("`motiongpt status` shows how they are, `motiongpt report` what came out")
        if wait:
            _wait(unfinished)
        return wait

    def _is_open(self, work: Work) -> bool:
        """Whether an earlier submission of this very sweep still waits, and will report."""
        return any(
            job.sweep == work.sweep and not state.is_ending
            for job, state in self.live_jobs(work.root)
        )

    def _submit(
        self,
        work: Work,
        batches: Sequence[Batch],
        queued: Mapping[str, str],
        report: Resources,
        still_alone: Callable[[], None],
    ) -> None:
        snapshot = take_snapshot(work.root)
        record = SubmissionRecord(work.new_submission(), work.sweep)
        options = {
            **self.where,
            "array_parallelism": self.array_parallelism,
            "signal_delay_s": self.signal_seconds,
            "setup": [*self.setup, *_environment(snapshot)],
            "srun_args": ["--open-mode=append", "--kill-on-bad-exit=1"],
            "additional_parameters": {"requeue": True, **self.additional},
        }
        started = time.monotonic()
        submission = Submission(work, record, options, self.python, self.max_timeouts, still_alone)
        submission.submit(batches, queued, report)
        count = sum(len(batch.stages) for batch in batches)
        _say(
            f"submitted {count} jobs in {len(batches)} arrays and a report as {work.sweep} "
            f"in {time.monotonic() - started:.1f} s"
            + (f"; {len(queued)} were submitted before" if queued else "")
        )

    def _resources(self, stages: Sequence[Planned]) -> dict[str, Resources]:
        for name in self.stages:
            known = stages[0].config.stage if stages else {name: None}
            if name not in known and name != "report":
                raise UserError(
                    f"launcher.stages.{name}: no such stage; valid: {', '.join(known)}, report"
                )
        return {
            stage.run.signature: resources_for(stage, self.resources, self.stages)
            for stage in stages
        }


def _environment(snapshot: Path) -> list[str]:
    """Shell lines that make a job run the snapshot, on the cores that it was given."""
    return [
        f"export PYTHONPATH={shlex.quote(str(snapshot))}${{PYTHONPATH:+:$PYTHONPATH}}",
        "export PYTHONSAFEPATH=1",  # the working directory may hold newer code
        "export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}",
        "export SRUN_CPUS_PER_TASK=${SLURM_CPUS_PER_TASK:-1}",  # srun no longer inherits it
    ]


def _queued(stages: Sequence[Planned]) -> dict[str, str]:
    """Signature -> job, of the stages that SLURM already has in hand."""
    records = {stage.run.signature: job_of(stage.run) for stage in stages}
    jobs = [record for record in records.values() if record is not None]
    states = SlurmJobs.job_states(jobs)
    # What is just ending will be gone or, requeued, be waiting in a moment.
    deadline = time.monotonic() + ENDING_SECONDS
    while any(one.is_ending for one in states.values()):
        if time.monotonic() > deadline:
            break
        time.sleep(0.5)
        states = SlurmJobs.job_states(jobs)
    return {one.signature: one.job for one in jobs if one.job in states and states[one.job].is_live}


def _clear_broken_submissions(root: Path) -> None:
    """Cancel what submissions that were killed half-way have left, and nothing but that.

    They are looked at each time: sbatch outlives the process that called it, so a job of theirs
    may come late.
    """
    broken = [record for record in submission_records(root) if record.state != SUBMITTED]
    if not broken:
        return
    waiting = queue()
    for record in broken:
        left = [job for job, _ in record.live_jobs(waiting)]
        if left:
            _say(f"{record.folder}: was killed half-way; its jobs are cancelled")
            SlurmJobs.cancel(left)


def _wait(stages: Sequence[Planned]) -> None:
    """Until SLURM has no job of these stages any more."""
    while queued := _queued([stage for stage in stages if not stage.finished]):
        time.sleep(2.0 if len(queued) < 100 else 20.0)
    forget(stage.run for stage in stages if stage.finished)
