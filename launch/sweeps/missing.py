"""Why an experiment has no result: its first stage without one, and what that stage said."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from launch.jobs.records import job_of
from launch.jobs.state import JobState
from launch.runs.ledger import ERROR, LOG, Run
from launch.sweeps.record import Point, Sweep
from motiongpt.printable import printable

LAST_LINES = 5
NAMED = 3


@dataclass(frozen=True)
class Missing:
    """An experiment without a result.

    Attributes:
        experiment: what tells it from the others.
        stage, signature: its first stage that is not finished.
        why: one line.
        lines: the last lines of that stage's log.
    """

    experiment: str
    stage: str
    signature: str
    why: str
    lines: tuple[str, ...]


def missing_lines(missing: Sequence[Missing]) -> list[str]:
    """For a person: experiments that lack the same stage together, with why and the log's end."""
    groups: dict[str, list[Missing]] = {}
    for one in missing:
        groups.setdefault(one.signature, []).append(one)
    lines = []
    for same in groups.values():
        names = [one.experiment for one in same]
        shown = "; ".join(names[:NAMED])
        if len(names) > NAMED:
            shown += f" and {len(names) - NAMED} more"
        first = same[0]
        said = "".join(f"\n    | {line}" for line in first.lines)
        lines.append(f"missing: {shown}: {first.stage} {first.signature} {first.why}{said}")
    return lines


def missing_of(sweep: Sweep, point: Point, jobs: Mapping[str, JobState]) -> Missing | None:
    """What keeps `point` from its result, or None if it has one.

    Args:
        jobs: what the scheduler says, by job id.
    """
    unfinished = [run for run in sweep.runs(point) if not run.is_finished]
    goals = {tuple(goal) for goal in point.goals}
    # What a goal was made of may have been cleaned away since.
    if not any((run.stage, run.signature) in goals for run in unfinished):
        return None
    first = unfinished[0]
    why = _why(first, jobs)
    return Missing(sweep.label(point), first.stage, first.signature, why, last_lines(first))


def _why(run: Run, jobs: Mapping[str, JobState]) -> str:
    state = run.state
    if state == "failed":
        return f"failed: {run.status.get('error', 'see its log')}"
    record = job_of(run)
    job = jobs.get(record.job) if record is not None else None
    if record is not None and job is not None:
        if job.is_live:
            return f"is {state}; its job {record.job} is {job}"
        return f"was lost: its job {record.job} is {job}"
    return "was not started" if state == "absent" else f"is {state}"


def last_lines(run: Run, count: int = LAST_LINES) -> tuple[str, ...]:
    """The last lines that tell most: of the traceback, else of the job's complaints, else of the
    stage's own log."""
    record = job_of(run)
    files = [run.where / ERROR]
    if record is not None:
        files += [file for file in record.outputs() if file.suffix == ".err"]
    for file in [*files, run.where / LOG]:
        lines = _tail(file, count)
        if lines:
            return lines
    return ()


def _tail(file: Path, count: int) -> tuple[str, ...]:
    try:
        text = file.read_text(errors="replace")
    except FileNotFoundError:
        return ()
    lines = (printable(line, keep="\t").rstrip() for line in text.split("\n"))
    return tuple(line for line in lines if line)[-count:]
