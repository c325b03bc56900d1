"""Which jobs `cancel` may take: a sweep's own, save those that another open sweep waits for."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from launch.jobs.records import PROCESSES, JobRecord, job_records
from launch.launchers.known import live_jobs
from launch.runs.ledger import Run, all_runs
from launch.runs.owner import Owner
from launch.sweeps.record import read_sweep, sweep_names
from motiongpt.errors import UserError

Stage = tuple[str, str]
"""Name and signature."""


@dataclass(frozen=True)
class Chosen:
    """What a command may cancel.

    Attributes:
        jobs: to be cancelled.
        left: lines on what was named and stays, and why.
    """

    jobs: list[JobRecord]
    left: list[str]


def all_jobs(root: Path) -> Chosen:
    """Every job below `root`."""
    return Chosen([job for job, _ in live_jobs(root)], [])


def chosen_jobs(root: Path, names: Sequence[str]) -> Chosen:
    """What to cancel where sweeps and stages are named.

    A sweep is open as long as SLURM has a job of its own; its report is the last. Processes wait
    for no job: when one that runs a stage stops, another that wants it goes on from its checkpoint.

    Args:
        names: beginnings of names of sweeps, or of signatures.

    Raises:
        UserError: neither, or several sweeps.
    """
    sweeps, signatures = _sorted_names(root, names)
    live = live_jobs(root)
    named = [job for job, _ in live if job.sweep in sweeps or _is_named(job, signatures)]
    still_open = {
        job.sweep for job, state in live if job.launcher != PROCESSES and not state.is_ending
    }
    wanted = {name: _stages(root, name) for name in still_open - sweeps if name}
    jobs, left = [], []
    for job in named:
        waiting = [] if job.launcher == PROCESSES else _waiting_for(job, wanted)
        if waiting:
            left.append(f"left {_title(job)}: {', '.join(waiting)} waits for it")
        else:
            jobs.append(job)
    own = {stage for name in sweeps for stage in _stages(root, name)}
    left += [
        f"left {_title(job)}: {job.sweep or 'no sweep'} submitted it"
        for job, _ in live
        if job not in named and (job.stage, job.signature) in own
    ]
    known = {(job.stage, job.signature) for job, _ in live}
    return Chosen(jobs, [*left, *_elsewhere(root, own - known)])


def _elsewhere(root: Path, stages: Collection[Stage]) -> list[str]:
    """Lines on the stages that run on another machine, without a scheduler."""
    left = []
    for run in (Run(root, *stage) for stage in sorted(stages)):
        owner = Owner.read(run.where)
        if owner is not None and not owner.is_slurms and run.state == "running":
            left.append(
                f"left {run.stage} {run.signature}: it runs on {owner.host}, cancel it there"
            )
    return left


def _sorted_names(root: Path, names: Sequence[str]) -> tuple[set[str], list[str]]:
    """Full names of the sweeps among `names`, and the others."""
    sweeps, signatures = set(), []
    for name in names:
        if any(one.startswith(name) for one in sweep_names(root)):
            sweeps.add(read_sweep(root, name).name)
        elif any(signature.startswith(name) for signature in _signatures(root)):
            signatures.append(name)
        else:
            raise UserError(f"{name}: neither a sweep nor a signature below {root}")
    return sweeps, signatures


def _signatures(root: Path) -> list[str]:
    runs, records = all_runs(root), job_records(root)
    return [run.signature for run in runs] + [record.signature for record in records]


def _is_named(job: JobRecord, signatures: Sequence[str]) -> bool:
    return bool(job.signature) and any(map(job.signature.startswith, signatures))


def _waiting_for(job: JobRecord, wanted: Mapping[str, Collection[Stage]]) -> list[str]:
    """The other sweeps that need what a job does."""
    return sorted(
        name
        for name, stages in wanted.items()
        if name != job.sweep and (job.stage, job.signature) in stages
    )


def _stages(root: Path, sweep: str) -> set[Stage]:
    points = read_sweep(root, sweep).points
    return {(stage, signature) for point in points for stage, signature in point.stages}


def _title(job: JobRecord) -> str:
    return f"{job.stage} {job.signature} (job {job.job})"
