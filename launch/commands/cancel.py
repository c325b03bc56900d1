"""Cancel jobs: of a sweep, of single stages, or all; what they have kept stays."""

import argparse
import os
import signal
import socket
from collections.abc import Sequence
from pathlib import Path

from launch.composition.roots import split_root
from launch.runs.owner import Owner
from launch.slurm.commands import cancel, job_states
from launch.slurm.records import JobRecord, job_records
from launch.sweeps.overview import Line, overview
from launch.sweeps.record import sweep_names
from motiongpt.errors import UserError
from motiongpt.files import read_json

EXAMPLES = """examples:
  motiongpt cancel quickstart-1a2b3c4d
  motiongpt cancel 5e6f7a8b
  motiongpt cancel --all paths.root=outputs
"""


def main(arguments: Sequence[str]) -> int:
    """Cancel; 0 also where nothing was left to cancel."""
    parser = argparse.ArgumentParser(
        prog="motiongpt cancel",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("words", nargs="*", help="sweeps or signatures; paths.root=FOLDER")
    parser.add_argument("--all", action="store_true", help="every job of this root")
    options = parser.parse_intermixed_args(arguments)
    root, names = split_root(options.words)
    if bool(names) == options.all:
        raise UserError("name the sweeps or signatures to cancel, or say --all")
    lines = [line for name in names or [""] for line in _chosen(root, name)]
    chosen = {(line.run.stage, line.run.signature) for line in lines}
    jobs = _live_jobs([one for one in job_records(root) if (one.stage, one.signature) in chosen])
    jobs += _reports(root, {line.experiments.partition(" ")[0] for line in lines}, names)
    cancel(jobs)
    stopped = [line for line in lines if not line.job and _stop(line)]
    print(f"cancelled {len(jobs)} jobs" + (f", stopped {len(stopped)}" if stopped else ""))
    return 0


def _chosen(root: Path, name: str) -> list[Line]:
    """Lines of a sweep, or of the stage with that signature."""
    if not name or any(one.startswith(name) for one in sweep_names(root)):
        return overview(root, name)
    lines = [line for line in overview(root) if line.run.signature.startswith(name)]
    if not lines:
        raise UserError(f"{name}: neither a sweep nor a signature below {root}")
    return lines


def _live_jobs(records: Sequence[JobRecord]) -> list[str]:
    states = job_states(one.job for one in records)
    return [job for job, state in states.items() if state.is_live]


def _reports(root: Path, sweeps: set[str], names: Sequence[str]) -> list[str]:
    """Jobs of the reports of whole sweeps: they are the last of each submission."""
    wanted = [one for one in sweeps if one and (not names or any(map(one.startswith, names)))]
    found = []
    for sweep in wanted:
        for file in (Path(root) / "sweeps" / sweep).glob("submissions/*/submission.json"):
            found += read_json(file, {}).get("masters", [])[-1:]
    return [job for job, state in job_states(found).items() if state.is_live]


def _stop(line: Line) -> bool:
    """Ask a process of this machine to stop at the end of its step."""
    owner = Owner.read(line.run.where)
    if owner is None or line.state != "running" or owner.host != socket.gethostname():
        return False
    os.kill(owner.process, signal.SIGTERM)
    return True
