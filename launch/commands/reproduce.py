"""Run the sweep behind a published table and print it beside the published rows."""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from evaluation.leaderboard.board import Board, build_board
from evaluation.leaderboard.formats import write_board
from evaluation.leaderboard.plain import plain_table
from evaluation.leaderboard.published import PublishedTable
from evaluation.leaderboard.published_file import PUBLISHED, read_published
from evaluation.reports.results_file import RESULTS, ResultsFile, read_results
from launch.commands.run import plan_point
from launch.compose import expand
from launch.execute import execute
from launch.graph import Planned, union
from launch.protocols import shipped_protocols
from launch.studies import EXPERIMENTS, Sweep, find_sweeps, read_sweep
from launch.tables import stage_lines
from motiongpt.errors import UserError
from motiongpt.files import write_text

EXAMPLES = """examples:
  motiongpt reproduce table=downsampling --dry-run
  motiongpt reproduce table=downsampling data.source.path=HumanML3D \\
      evaluator.weights=t2m evaluator.word_vectors=glove
  motiongpt reproduce table=codebook experiment=bandai_small data.source.path=bandai_all.tar.xz
  motiongpt reproduce table=backbone experiment=quickstart backbone=t5_tiny,gpt2_tiny
  motiongpt reproduce table=t2m protocol=motiongpt_release --output experiments/t2m/results

Without overrides a table is run in the paper's own setting, for which the data set and the
published evaluator must be at hand. An override of yours replaces that of the same name;
experiment= replaces the whole setting. Stages that are finished are reused.
"""


def main(arguments: Sequence[str]) -> int:
    """Run and print; 1 if a stage failed."""
    options = _parser().parse_intermixed_args(arguments)
    table, wanted = _table_of(options.overrides)
    sweep = read_sweep(table)
    published = read_published(EXPERIMENTS / table / PUBLISHED)
    points = expand(sweep.overrides(wanted))
    plans = [plan_point(point) for point in points]
    plan = union(plans)
    print("\n".join([_setting(sweep, wanted), *stage_lines(plan)]), flush=True)
    if options.dry_run:
        return 0
    failed = execute(plan)
    runs = _results(plan)
    board = _board(published, runs)
    print("\n" + plain_table(board.tables[0]), flush=True)
    for point, stages in zip(points, plans, strict=True):
        for stage in stages:
            if said := failed.get(stage.run.signature):
                print(f"missing: {' '.join(point)}: {stage.run.stage}: {said}", flush=True)
                break
    if options.output is not None and runs:
        for file in _write(board, runs, options.output):
            print(f"wrote {file}")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="motiongpt reproduce",
        description=f"{__doc__} Tables: {', '.join(find_sweeps())}.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("overrides", nargs="*", help="table=NAME, and Hydra overrides")
    parser.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="also write table.md, table.csv and each run's results.json there",
    )
    return parser


def _table_of(words: Sequence[str]) -> tuple[str, list[str]]:
    tables = [word.removeprefix("table=") for word in words if word.startswith("table=")]
    if len(tables) != 1:
        raise UserError(f"one table=NAME is needed; valid: {', '.join(find_sweeps())}")
    return tables[0], [word for word in words if not word.startswith("table=")]


def _setting(sweep: Sweep, wanted: Sequence[str]) -> str:
    return f"table {sweep.table}: {' '.join(sweep.overrides(wanted))}"


def _results(plan: Sequence[Planned]) -> list[ResultsFile]:
    """What the plan's finished stages left, in the order of the sweep."""
    files = [stage.run.folder / RESULTS for stage in plan if stage.finished]
    return [read_results(file) for file in files if file.exists()]


def _board(published: PublishedTable, runs: Sequence[ResultsFile]) -> Board:
    # What was run for this table is shown in it, on whatever data and with however many points.
    shown = replace(published, where={}, at_least=1)
    return build_board([shown], runs, shipped_protocols())


def _write(board: Board, runs: Sequence[ResultsFile], folder: Path) -> list[Path]:
    files = write_board(board, folder, stem="table", formats=("markdown", "csv"))
    for run in runs:
        copy = folder / run.signature / RESULTS
        write_text(copy, run.path.read_text())
        files.append(copy)
    return files
