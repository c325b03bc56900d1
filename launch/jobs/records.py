"""Which job was last given a stage to run: `jobs/<stage>/<signature>.json`."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from launch.runs.ledger import Run
from launch.runs.records import is_number, is_text, readable, say_once
from motiongpt.files import write_json

SLURM, PROCESSES = "slurm", "processes"

SHAPE = dict.fromkeys(("stage", "signature", "job", "sweep", "log"), is_text) | {"time": is_number}
LATER = {"name": is_text, "launcher": (SLURM, PROCESSES).__contains__}
"""What records of earlier versions lack."""


@dataclass(frozen=True)
class JobRecord:
    """A stage in the hands of a launcher.

    Attributes:
        stage, signature: what it runs; no signature for what is no stage, as a report.
        job: id of the job, as 12 or 12_3 of SLURM, HOST:PROCESS of a process.
        sweep: name of the sweep that submitted it, to which it belongs; empty where none did.
        log: folder of the job's own output.
        time: of the submission, Unix seconds.
        name: of the job, the same for nobody else's: SLURM uses its numbers again.
        launcher: SLURM or PROCESSES, which can be asked about it.
    """

    stage: str
    signature: str
    job: str
    sweep: str
    log: str
    time: float
    name: str = ""
    launcher: str = SLURM

    def write(self, root: Path) -> None:
        """Keep it; an earlier record of the stage is replaced."""
        write_json(_path(root, self.stage, self.signature), asdict(self))

    def outputs(self) -> list[Path]:
        """Files that the job's processes have written to, complaints last."""
        files = sorted(Path(self.log).glob(f"{self.job}_*_log.*"))
        return sorted(files, key=lambda file: file.suffix == ".err")


def job_of(run: Run) -> JobRecord | None:
    """The record of a run, if there is one."""
    return _read(_path(run.root, run.stage, run.signature))


def job_records(root: Path) -> list[JobRecord]:
    """All records below `root`; a damaged one is named on stderr and left out."""
    files = sorted((Path(root) / "jobs").glob("*/*.json"))
    return [record for file in files if (record := _read(file)) is not None]


def forget(runs: Iterable[Run]) -> None:
    """Drop the records of jobs that will not run."""
    for run in runs:
        _path(run.root, run.stage, run.signature).unlink(missing_ok=True)


def _read(path: Path) -> JobRecord | None:
    found, damage = readable(path, SHAPE | LATER)
    if damage or not found:
        return None
    if not SHAPE.keys() <= found.keys() <= (SHAPE | LATER).keys():
        say_once(f"{path}: damaged: not the record of a job")
        return None
    return JobRecord(**found)


def _path(root: Path, stage: str, signature: str) -> Path:
    return Path(root) / "jobs" / stage / f"{signature}.json"
