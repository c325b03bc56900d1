"""A SLURM cluster: job arrays that wait for each other, and a report at the end."""

import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from launch.jobs.resources import Resources, resources_for
from launch.jobs.submission_lock import submitting
from launch.launchers.base import Work
from launch.plans.estimate import Experience, cost_lines
from launch.plans.graph import Planned
from launch.runs.snapshot import take_snapshot
from launch.slurm.batches import Batch, batches_of
from launch.slurm.commands import cancel, job_states
from launch.slurm.preflight import check_resources
from launch.slurm.records import forget, job_of
from launch.slurm.submission import RECORD, Submission
from launch.tables import text_table
from motiongpt.errors import UserError
from motiongpt.files import read_json, write_json

OF_THE_REPORT: Mapping[str, Any] = {"nodes": 1, "gpus": 0, "cpus": 1, "minutes": 20}
ENDING_SECONDS = 60.0
_say = partial(print, flush=True)


class SlurmLauncher:
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
                *cost_lines(pairs, Experience(work.root)),
            ]
        )

    def launch(self, work: Work, wait: bool) -> bool:
        """Submit what no earlier submission has submitted."""
        unfinished = work.unfinished
        if not unfinished:
            return True
        resources = self._resources(unfinished)
        report = Resources(**{**OF_THE_REPORT, **self.stages.get("report", {})})
        check_resources({*resources.values(), report}, {**self.where, **self.additional})
        with submitting(work.root, _say):
            _clear_broken_submissions(work.root)
            queued = _queued(unfinished)
            fresh = [stage for stage in unfinished if stage.run.signature not in queued]
            if fresh:
                batches = batches_of(fresh, resources, self.largest_array)
                self._submit(work, batches, queued, report)
            else:
                _say(f"all {len(unfinished)} jobs are in SLURM's hands already")
        _say("`motiongpt status` shows how they are, `motiongpt report` what came out")
        if wait:
            _wait(unfinished)
        return wait

    def _submit(
        self, work: Work, batches: Sequence[Batch], queued: Mapping[str, str], report: Resources
    ) -> None:
        snapshot = take_snapshot(work.root)
        folder = work.sweep.new_submission()
        options = {
            **self.where,
            "array_parallelism": self.array_parallelism,
            "signal_delay_s": self.signal_seconds,
            "setup": [*self.setup, *_environment(snapshot)],
            "srun_args": ["--open-mode=append", "--kill-on-bad-exit=1"],
            "additional_parameters": {"requeue": True, **self.additional},
        }
        started = time.monotonic()
        submission = Submission(work, folder, options, self.python, self.max_timeouts)
        submission.submit(batches, queued, report)
        count = sum(len(batch.stages) for batch in batches)
        _say(
            f"submitted {count} jobs in {len(batches)} arrays and a report as {work.sweep.name} "
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
        f"export PYTHONPATH='{snapshot}'${{PYTHONPATH:+:$PYTHONPATH}}",
        "export PYTHONSAFEPATH=1",  # the working directory may hold newer code
        "export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}",
        "export SRUN_CPUS_PER_TASK=${SLURM_CPUS_PER_TASK:-1}",  # srun no longer inherits it
    ]


def _queued(stages: Sequence[Planned]) -> dict[str, str]:
    """Signature -> job, of the stages that SLURM already has in hand."""
    records = {stage.run.signature: job_of(stage.run) for stage in stages}
    jobs = {own: record.job for own, record in records.items() if record is not None}
    states = job_states(jobs.values())
    # What is just ending will be gone or, requeued, be waiting in a moment.
    deadline = time.monotonic() + ENDING_SECONDS
    while any(one.state == "COMPLETING" for one in states.values()):
        if time.monotonic() > deadline:
            break
        time.sleep(0.5)
        states = job_states(jobs.values())
    return {own: job for own, job in jobs.items() if job in states and states[job].is_live}


def _clear_broken_submissions(root: Path) -> None:
    """Cancel what a submission that was killed half-way has left."""
    for file in (Path(root) / "sweeps").glob(f"*/submissions/*/{RECORD}"):
        record = read_json(file, {})
        if record.get("state") == "submitting":
            _say(f"{file.parent}: was killed half-way; its jobs are cancelled")
            cancel(record["masters"])
            write_json(file, {**record, "state": "cancelled"})


def _wait(stages: Sequence[Planned]) -> None:
    """Until SLURM has no job of these stages any more."""
    while queued := _queued([stage for stage in stages if not stage.finished]):
        time.sleep(2.0 if len(queued) < 100 else 20.0)
    forget(stage.run for stage in stages if stage.finished)
