"""The whole leaderboard: what the writers are given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.leaderboard.build import build_table
from evaluation.leaderboard.published import PublishedTable
from evaluation.leaderboard.table import Table
from evaluation.leaderboard.training_seeds import over_training_seeds
from evaluation.reports.results_file import ResultsFile


@dataclass(frozen=True)
class Board:
    """Tables, and the runs of ours behind them.

    Attributes:
        left_out: one line for each results file that could not be read.
    """

    tables: Sequence[Table]
    runs: Sequence[ResultsFile]
    left_out: Sequence[str] = ()


def build_board(
    published: Sequence[PublishedTable],
    runs: Sequence[ResultsFile],
    shipped: Mapping[str, Mapping[str, Any]],
    left_out: Sequence[str] = (),
) -> Board:
    """Put our runs, joined over training seeds, beside all published tables; only runs that a table
    shows are kept.

    Args:
        shipped: protocol name -> settings, see `comparability.differences`.
    """
    runs = over_training_seeds(runs)
    tables = [build_table(table, runs, shipped) for table in published]
    shown = {
        id(row.run) for table in tables for group in table.groups for row in group.rows if row.run
    }
    return Board(tables, [run for run in runs if id(run) in shown], left_out)
