"""The end of a sweep: its table, what is missing and why, and the same for the loggers."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from evaluation.leaderboard.plain import plain_table
from evaluation.reports.results_file import PAGE
from launch.jobs.records import job_of
from launch.jobs.state import JobState
from launch.launchers.known import job_states
from launch.loggers.sweep_report_logger import log_sweep_report
from launch.runs.ledger import Run
from launch.sweeps.missing import Missing, missing_lines, missing_of
from launch.sweeps.published_table import board_of, results_of, write_published
from launch.sweeps.record import Sweep
from launch.sweeps.seed_table import SeedTable, seed_table_of
from launch.sweeps.table import SweepTable, table_of
from launch.tables import result_text
from motiongpt.files import write_json, write_text

SETTLING_SECONDS = 20.0


@dataclass(frozen=True)
class Report:
    """What came of a sweep.

    Attributes:
        text: for a terminal.
        missing: experiments without a result.
    """

    text: str
    missing: list[Missing]


def close_sweep(sweep: Sweep) -> Report:
    """Write `report.txt`, `table.md`, `table.csv`, `report.json` of a sweep, `seeds.md` and
    `seeds.csv` where it has several training seeds, and `plots/`; tell its loggers."""
    jobs = _jobs(sweep)
    found = [missing_of(sweep, point, jobs) for point in sweep.points]
    missing = [one for one in found if one is not None]
    table = table_of(sweep)
    shown = table.only(sweep.config.get("shown", []))
    joined = seed_table_of(sweep, table)
    joined_shown = joined.only(shown.metrics)
    plots = _drawn(sweep, shown, joined_shown)
    report = Report(_text(sweep, shown, joined_shown, missing, plots), missing)
    write_text(sweep.folder / "report.txt", report.text + "\n")
    write_text(sweep.folder / "table.md", shown.as_markdown())
    write_text(sweep.folder / "table.csv", table.as_csv())
    if joined.rows:
        write_text(sweep.folder / "seeds.md", joined.as_markdown())
        write_text(sweep.folder / "seeds.csv", joined.as_csv())
    write_json(
        sweep.folder / "report.json",
        {
            "sweep": sweep.name,
            "command": sweep.command,
            "time": round(time.time(), 3),
            "columns": table.columns(),
            "rows": table.cells(),
            "seed_columns": joined.columns(),
            "seed_rows": joined.cells(),
            "missing": [asdict(one) for one in missing],
        },
    )
    if len(sweep.points) > 1:
        config = OmegaConf.create(sweep.config)
        assert isinstance(config, DictConfig)
        log_sweep_report(
            config,
            sweep.folder,
            sweep.group,
            shown.columns(),
            shown.cells(),
            missing_lines(missing),
        )
    return report


def _drawn(sweep: Sweep, table: SweepTable, joined: SeedTable) -> list[Path]:
    """Pictures of a sweep of several experiments that have come to something."""
    if len(table.rows) < 2:
        return []
    from launch.sweeps.curves import draw_curves  # loads matplotlib
    from launch.sweeps.plots import draw_costs, draw_options

    return [*draw_options(sweep, table, joined), *draw_costs(sweep, table), *draw_curves(sweep)]


def _text(
    sweep: Sweep, table: SweepTable, joined: SeedTable, missing: list[Missing], plots: list[Path]
) -> str:
    lines: list[str] = []
    if len(sweep.points) == 1 and not sweep.table:
        goals = [Run(sweep.root, *names) for names in sweep.points[0].goals]
        for goal in (goal for goal in goals if goal.is_finished):
            lines += [f"{goal.stage} -> {goal.folder}", result_text(goal)]
    elif sweep.table:
        lines += _published(sweep)
    elif table.rows:
        done = len(sweep.points) - len(missing)
        lines += [f"{sweep.name}: {done} of {len(sweep.points)} experiments", table.as_text()]
        if joined.rows:
            lines += ["joined over training seeds:", joined.as_text()]
        lines.append(f"all metrics: {Path(sweep.folder) / 'table.csv'}")
        if plots:
            lines.append(f"{len(plots)} pictures: {plots[0].parent}")
    return "\n".join([*lines, *missing_lines(missing), *_pages(sweep)])


def _pages(sweep: Sweep) -> list[str]:
    """Of a single experiment the pages of its results: last, so that they are found."""
    if len(sweep.points) != 1 or sweep.table:
        return []
    pages = [Run(sweep.root, *names).folder / PAGE for names in sweep.points[0].goals]
    return [str(page) for page in pages if page.is_file()]


def _published(sweep: Sweep) -> list[str]:
    """The published table with this sweep's rows, written where the command asked for it."""
    results = results_of(sweep)
    board = board_of(sweep.table["name"], results)
    lines = [plain_table(board.tables[0])]
    if sweep.table["output"] and results:
        written = write_published(board, results, Path(sweep.table["output"]))
        lines += [f"wrote {file}" for file in written]
    return lines


def _jobs(sweep: Sweep) -> dict[str, JobState]:
    """What their launchers say of the jobs of unfinished stages; nothing where there are none.

    Waits a little for jobs that have just left the queue.
    """
    runs = {run.signature: run for point in sweep.points for run in sweep.runs(point)}
    records = [job_of(run) for run in runs.values() if not run.is_finished]
    jobs = [record for record in records if record is not None]
    deadline = time.monotonic() + SETTLING_SECONDS
    states = job_states(jobs)
    while any(one.is_settling for one in states.values()) and time.monotonic() < deadline:
        time.sleep(1.0)
        states = job_states(jobs)
    return states
