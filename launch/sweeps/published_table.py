"""A published table beside what a sweep came to."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from evaluation.leaderboard.board import Board, build_board
from evaluation.leaderboard.formats import write_board
from evaluation.leaderboard.published import PublishedTable
from evaluation.leaderboard.published_file import PUBLISHED, read_published
from evaluation.reports.results_file import RESULTS, ResultsFile, read_results
from launch.composition.protocols import shipped_protocols
from launch.composition.studies import EXPERIMENTS
from launch.runs.ledger import Run
from launch.runs.records import say_once
from launch.sweeps.record import Sweep
from motiongpt.errors import UserError
from motiongpt.files import write_text


def results_of(sweep: Sweep) -> list[ResultsFile]:
    """Results of its finished goals, in the order of its experiments; a damaged one is named on
    stderr and left out."""
    goals = dict.fromkeys(tuple(goal) for point in sweep.points for goal in point.goals)
    runs = [Run(sweep.root, stage, signature) for stage, signature in goals]
    files = [run.folder / RESULTS for run in runs if run.is_finished]
    found = []
    for file in files:
        try:
            found.append(read_results(file))
        except UserError as error:  # also of a stage that leaves none
            if file.exists():
                say_once(str(error))
    return found


def board_of(name: str, results: Sequence[ResultsFile]) -> Board:
    """The published table `name` with `results` among its rows."""
    published: PublishedTable = read_published(EXPERIMENTS / name / PUBLISHED)
    # What was run for this table is shown in it, on whatever data and with however many points.
    shown = replace(published, where={}, at_least=1)
    return build_board([shown], results, shipped_protocols())


def write_published(board: Board, results: Sequence[ResultsFile], folder: Path) -> list[Path]:
    """Write the table, and a copy of each result, into `folder`."""
    files = write_board(board, folder, stem="table", formats=("markdown", "csv"))
    for result in results:
        copy = folder / result.signature / RESULTS
        write_text(copy, result.path.read_text(encoding="utf-8"))
        files.append(copy)
    return files
