"""SLURM's own commands, and what they say of jobs."""

import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence

from submitit.slurm.slurm import read_job_id

from launch.jobs.state import JobState
from motiongpt.errors import UserError


def slurm(*words: str, check: bool = True) -> str:
    """Run one of SLURM's commands and return what it printed.

    Raises:
        UserError: it is not installed, takes too long, or refuses.
    """
    if shutil.which(words[0]) is None:
        raise UserError(
            f"{words[0]}: no such command here; launcher=slurm needs a machine from which jobs "
            "can be submitted (launcher=local runs the same sweep on this one)"
        )
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired as error:
        raise UserError(f"{words[0]}: no answer in 120 s; is SLURM's controller up?") from error
    if check and done.returncode:
        raise UserError(f"{words[0]}: {said(done.stderr) or f'exit status {done.returncode}'}")
    return done.stdout


def said(text: str) -> str:
    """SLURM's complaint on one line, without the names of its programs."""
    lines = [line.partition(": error: ")[2] or line for line in text.splitlines() if line.strip()]
    return "; ".join(dict.fromkeys(line.strip() for line in lines))


def minutes_of(limit: str) -> float | None:
    """Minutes of a limit in SLURM's words, [days-][[hours:]minutes:]seconds; None for none."""
    days, _, clock = limit.rpartition("-")
    parts = clock.split(":")
    if not all(part.isdigit() for part in parts):
        return None  # infinite, n/a
    hours, minutes, seconds = [*[0] * (3 - len(parts)), *map(int, parts)]
    return int(days or 0) * 1440 + hours * 60 + minutes + seconds / 60


def queue() -> dict[str, tuple[str, JobState]]:
    """Name and state of every job of this user that SLURM has yet to end, by id (12 or 12_3)."""
    listed = slurm("squeue", "--noheader", "--array", "--me", "--format=%i|%T|%N|%r|%j")
    found = {}
    for line in listed.splitlines():
        number, state, node, reason, name = (*line.split("|", 4), *[""] * 4)[:5]
        found[number] = (name.strip(), JobState(state, node or reason, in_queue=True))
    return found


def job_states(jobs: Mapping[str, str]) -> dict[str, JobState]:
    """State of each job that SLURM remembers: in its queue, or in its accounts.

    Args:
        jobs: id (12 or 12_3) -> name; a job of another name only has the same number.
    """
    if not jobs:
        return {}
    queued = queue()
    found = {
        job: queued[job][1]
        for job, name in jobs.items()
        if job in queued and queued[job][0] == name
    }
    rest = {job: name for job, name in jobs.items() if job not in queued}
    return {**_accounted(rest), **found}


def cancel(jobs: Sequence[str]) -> None:
    """Cancel jobs; those that have ended are no error."""
    if jobs:
        slurm("scancel", *jobs, check=False)


def _accounted(jobs: Mapping[str, str]) -> dict[str, JobState]:
    if not jobs:
        return {}
    masters = sorted({job.partition("_")[0] for job in jobs})
    try:
        text = slurm(
            *("sacct", "--noheader", "--allocations", "--parsable2"),
            *("--format=JobID,State,NodeList,ExitCode,JobName", "--jobs", ",".join(masters)),
        )
    except UserError as error:
        print(f"{error}; how ended jobs have ended is not known", file=sys.stderr, flush=True)
        return {}
    found = {}
    for line in text.splitlines():
        numbers, state, node, code, name = (*line.split("|", 4), *[""] * 4)[:5]
        for number in _elements(numbers):
            if jobs.get(number) == name:
                found[number] = JobState(state.split()[0] if state else "UNKNOWN", node, code)
    return found


def _elements(names: str) -> list[str]:
    """Ids of one line of the accounts: 12, 12_3, or the elements of 12_[0-3,7] that never ran."""
    found = []
    for master, *elements in read_job_id(names):
        if len(elements) == 2:
            found += [
                f"{master}_{element}" for element in range(int(elements[0]), int(elements[1]) + 1)
            ]
        else:
            found.append("_".join([master, *elements]))
    return found
