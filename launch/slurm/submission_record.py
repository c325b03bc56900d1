"""The record of a submission, written before its first job: no job of ours is without one.

SLURM has a job before its number can be written down, and uses numbers again. So each submission
has a token of its own, known beforehand, and the name of every job ends with it: by that a job
belongs to a submission, whatever else was or was not recorded.
"""

import time
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from launch.jobs.records import JobRecord
from launch.jobs.state import JobState
from motiongpt.files import read_json, write_json

RECORD = "submission.json"
SUBMITTING, SUBMITTED = "submitting", "submitted"
LONGEST_NAME = 80  # of a sweep within a job's name; SLURM's accounts cut names at 255 bytes

Queue = Mapping[str, tuple[str, JobState]]
"""Name and state of jobs, by id, as `launch.slurm.commands.queue` gives it."""


@dataclass
class SubmissionRecord:
    """What one submission gave to SLURM, and nothing that others gave.

    Attributes:
        folder: of the submission.
        sweep: that its jobs belong to.
        token: with which the names of its jobs end.
        state: SUBMITTING or SUBMITTED; what was never wholly submitted is cancelled by whoever
            submits next.
        masters: ids of its arrays and single jobs, the report last.
        jobs: signature -> id, as 12 or 12_3.
        time: of the last change, Unix seconds.
    """

    folder: Path
    sweep: str
    token: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    state: str = SUBMITTING
    masters: list[str] = field(default_factory=list)
    jobs: dict[str, str] = field(default_factory=dict)
    time: float = 0.0

    def write(self) -> None:
        """Keep it."""
        self.time = round(time.time(), 3)
        kept = {key: value for key, value in asdict(self).items() if key != "folder"}
        write_json(self.folder / RECORD, kept)

    def job_name(self, stage: str) -> str:
        """Name of its jobs for a stage."""
        return f"{self.sweep[:LONGEST_NAME]}:{stage}:{self.token}"

    def live_jobs(self, queue: Queue) -> list[tuple[JobRecord, JobState]]:
        """Its jobs in the queue; those that it has no signature of included."""
        signatures = {job: signature for signature, job in self.jobs.items()}
        found = []
        for job, (name, state) in queue.items():
            start, _, token = name.rpartition(":")
            if token == self.token and state.is_live:
                stage, signature = start.rpartition(":")[2], signatures.get(job, "")
                found.append((self.job_record(stage, signature, job), state))
        return found

    def job_record(self, stage: str, signature: str, job: str) -> JobRecord:
        """The record of one of its jobs."""
        name = self.job_name(stage)
        return JobRecord(stage, signature, job, self.sweep, str(self.folder), self.time, name)


def submission_records(root: Path) -> list[SubmissionRecord]:
    """All below `root` whose jobs can be told from others: those before tokens are long over."""
    files = sorted((Path(root) / "sweeps").glob(f"*/submissions/*/{RECORD}"))
    found = [(file.parent, read_json(file, {})) for file in files]
    return [SubmissionRecord(folder, **kept) for folder, kept in found if "token" in kept]
