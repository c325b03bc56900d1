"""Which job was last given a stage to run: `jobs/<stage>/<signature>.json`."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from launch.runs.ledger import Run
from motiongpt.files import read_json, write_json

SLURM, PROCESSES = "slurm", "processes"


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
    found = read_json(_path(run.root, run.stage, run.signature), None)
    return None if found is None else JobRecord(**found)


def job_records(root: Path) -> list[JobRecord]:
    """All records below `root`."""
    files = sorted((Path(root) / "jobs").glob("*/*.json"))
    return [JobRecord(**read_json(file, {})) for file in files]


def forget(runs: Iterable[Run]) -> None:
    """Drop the records of jobs that will not run."""
    for run in runs:
        _path(run.root, run.stage, run.signature).unlink(missing_ok=True)


def _path(root: Path, stage: str, signature: str) -> Path:
    return Path(root) / "jobs" / stage / f"{signature}.json"
