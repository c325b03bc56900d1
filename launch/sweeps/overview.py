"""All runs below a root as they are now: what the ledger, the records and the scheduler say."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from launch.jobs.records import JobRecord, job_records
from launch.jobs.state import JobState
from launch.launchers.known import job_states
from launch.runs.ledger import Run, all_runs
from launch.sweeps.differences import differences
from launch.sweeps.record import Sweep, read_sweep, sweep_names
from launch.tables import in_words, text_table

SHOWN_METRICS, LONGEST = 3, 70
COLUMNS = ("experiment", "stage", "signature", "state", "job", "node", "step", "changed", "last")


@dataclass(frozen=True)
class Line:
    """One run.

    Attributes:
        run: it.
        state: of the ledger, or queued, cancelled, or what the scheduler says.
        job, node: where it runs; empty without a scheduler.
        experiments: sweep, numbers of its experiments and what these have that others have not,
            as "quickstart-1a2b3c4d 1-3: downsampling=2".
    """

    run: Run
    state: str
    job: str
    node: str
    experiments: str

    @property
    def is_live(self) -> bool:
        """Whether it runs or waits to run."""
        return self.state in ("running", "queued")

    def cells(self) -> list[str]:
        """For the table."""
        status, progress = self.run.status, self.run.progress
        metrics = self.run.metrics or progress.get("metrics", {})
        done = f"{progress['step']}/{progress['steps']}" if "step" in progress else "-"
        changed = status.get("time")
        age = time.strftime("%m-%d %H:%M", time.localtime(changed)) if changed else "-"
        telling = sorted(metrics.items(), key=lambda item: item[0].startswith("train/"))
        shown = " ".join(f"{name}={value:.4g}" for name, value in telling[:SHOWN_METRICS])
        return [
            self.experiments or "-",
            self.run.stage,
            self.run.signature,
            self.state,
            self.job or "-",
            self.node or "-",
            done,
            age,
            (status.get("error", "") or shown or "-")[:LONGEST],
        ]


def overview(root: Path, sweep: str = "") -> list[Line]:
    """One line a run, in the order of a sweep's stages or else of their beginning.

    Args:
        sweep: beginning of the name of a sweep; only its runs.

    Raises:
        UserError: no such sweep.
    """
    records = {(one.stage, one.signature): one for one in job_records(root)}
    sweeps = [read_sweep(root, sweep)] if sweep else _all_sweeps(root)
    belonging = _belonging(sweeps)
    if sweep:
        runs = [Run(Path(root), *key) for key in belonging]
    else:
        runs = all_runs(root)
        known = {(run.stage, run.signature) for run in runs}
        runs += [Run(Path(root), *key) for key in records if key not in known]
    unfinished = [records.get((run.stage, run.signature)) for run in runs if not run.is_finished]
    jobs = job_states([one for one in unfinished if one is not None])
    return [_line(run, records.get((run.stage, run.signature)), jobs, belonging) for run in runs]


def overview_table(lines: Sequence[Line]) -> str:
    """The table, and how many are in which state."""
    counts: dict[str, int] = {}
    for line in lines:
        counts[line.state] = counts.get(line.state, 0) + 1
    total = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    return f"{text_table(COLUMNS, [line.cells() for line in lines])}\n{len(lines)} runs: {total}"


def _line(
    run: Run,
    record: JobRecord | None,
    jobs: Mapping[str, JobState],
    belonging: Mapping[tuple[str, str], str],
) -> Line:
    state, status = run.state, run.status
    job = jobs.get(record.job) if record is not None else None
    if job is not None and not run.is_finished:
        if job.is_waiting:
            state = "queued"
        elif job.state == "RUNNING":
            state = "running"
        elif not job.is_live and state != "failed":
            state = job.state.lower()  # cancelled, failed, timeout …
    return Line(
        run,
        state,
        str(status.get("job") or (record.job if record is not None else "")),
        str(status.get("host") or (job.node if job is not None else "")),
        belonging.get((run.stage, run.signature), ""),
    )


def _all_sweeps(root: Path) -> list[Sweep]:
    return [read_sweep(root, name) for name in sweep_names(root)]


def _belonging(sweeps: Sequence[Sweep]) -> dict[tuple[str, str], str]:
    """Which experiments of which sweep need a run; the latest sweep counts."""
    found: dict[tuple[str, str], str] = {}
    for sweep in sweeps:
        numbers: dict[tuple[str, str], list[int]] = {}
        for number, point in enumerate(sweep.points, start=1):
            for stage, signature in point.stages:
                numbers.setdefault((stage, signature), []).append(number)
        differing = differences(sweep.points)
        for key, some in numbers.items():
            found[key] = f"{sweep.name} {_ranges(some)}"
            if differing[key]:
                found[key] += f": {in_words(differing[key])}"
    return found


def _ranges(numbers: Sequence[int]) -> str:
    """As 1-3,5."""
    parts: list[list[int]] = []
    for number in numbers:
        if parts and number == parts[-1][-1] + 1:
            parts[-1].append(number)
        else:
            parts.append([number])
    return ",".join(f"{one[0]}-{one[-1]}" if len(one) > 1 else str(one[0]) for one in parts)
