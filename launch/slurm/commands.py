"""SLURM's own commands, and what they say of jobs."""

import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from submitit.slurm.slurm import read_job_id

from motiongpt.errors import UserError

WAITING = frozenset({"PENDING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD", "REQUEUE_FED"})
AT_WORK = frozenset({"RUNNING", "COMPLETING", "SUSPENDED", "SIGNALING", "STAGE_OUT", "STOPPED"})
LIVE = WAITING | AT_WORK | {"RESIZING", "SPECIAL_EXIT"}


@dataclass(frozen=True)
class JobState:
    """What SLURM says of one job.

    Attributes:
        state: SLURM's word, as RUNNING.
        node: where it runs or ran, or why it waits.
        exit_code: "code:signal" of a job that has ended.
        in_queue: whether squeue still has it; accounts lag some seconds behind.
    """

    state: str
    node: str = ""
    exit_code: str = ""
    in_queue: bool = False

    @property
    def is_waiting(self) -> bool:
        """Whether it has yet to start, for the first time or again."""
        return self.in_queue and self.state in WAITING

    @property
    def is_live(self) -> bool:
        """Whether it runs or will run, if nobody cancels it."""
        return self.in_queue and self.state in LIVE

    @property
    def is_settling(self) -> bool:
        """Whether it has left the queue, and the accounts do not yet say how."""
        return not self.in_queue and self.state in LIVE

    def __str__(self) -> str:
        code = f", exit status {self.exit_code}" if self.exit_code not in ("", "0:0") else ""
        where = f" on {self.node}" if self.node and not self.is_live else ""
        return f"{self.state.lower()}{where}{code}"


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


def job_states(jobs: Iterable[str]) -> dict[str, JobState]:
    """State of each job that SLURM remembers: in its queue, or in its accounts.

    Args:
        jobs: ids, as 12 or 12_3.
    """
    wanted = set(jobs)
    if not wanted:
        return {}
    queued = slurm("squeue", "--noheader", "--array", "--me", "--format=%i|%T|%N|%r")
    found = {}
    for line in queued.splitlines():
        name, state, node, reason = (*line.split("|"), "", "", "")[:4]
        if name in wanted:
            found[name] = JobState(state, node or reason, in_queue=True)
    return {**_accounted(sorted(wanted - set(found))), **found}


def cancel(jobs: Sequence[str]) -> None:
    """Cancel jobs; those that have ended are no error."""
    if jobs:
        slurm("scancel", *jobs, check=False)


def _accounted(jobs: Sequence[str]) -> dict[str, JobState]:
    if not jobs:
        return {}
    masters = sorted({job.partition("_")[0] for job in jobs})
    try:
        text = slurm(
            *("sacct", "--noheader", "--allocations", "--parsable2"),
            *("--format=JobID,State,NodeList,ExitCode", "--jobs", ",".join(masters)),
        )
    except UserError as error:
        print(f"{error}; how ended jobs have ended is not known", file=sys.stderr, flush=True)
        return {}
    found = {}
    for line in text.splitlines():
        names, state, node, code = (*line.split("|"), "", "", "")[:4]
        for name in _elements(names):
            if name in jobs:
                found[name] = JobState(state.split()[0] if state else "UNKNOWN", node, code)
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
