"""The leaderboard as one HTML page that needs nothing else: no network, no other file."""

import itertools
import os
import time
from functools import cache, partial
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from evaluation.leaderboard.board import Board
from evaluation.leaderboard.radar import MOST_RUNS, radars
from evaluation.leaderboard.radar_svg import line_class, radar_svg
from evaluation.leaderboard.runs import run_anchor, run_facts
from evaluation.leaderboard.table import Table
from evaluation.leaderboard.verdict import OUTCOMES
from evaluation.leaderboard.words import (
    ARROWS,
    SPREADS,
    first_titles,
    first_words,
    has_verdicts,
    sources,
    spread_rows,
)
from evaluation.reports.results_file import PAGE, ResultsFile

MARKS = {"reproduced": "=", "better": "▲", "worse": "▼", "not comparable": "≠"}
TEMPLATE = "page.html.j2"


def html_page(board: Board, folder: Path | None = None) -> str:
    """The page: charts, sortable tables, and the runs with all that their numbers depend on.

    Args:
        folder: where it will lie; from there its rows lead to the pages of their runs, where these
            have one. None leaves the links away.
    """
    charts = [
        {
            "radar": radar,
            "svg": Markup(radar_svg(radar)),  # its texts are escaped where it is drawn
            "lines": [(line_class(radar, i), s.label) for i, s in enumerate(radar.series)],
        }
        for radar in radars(board)
    ]
    return (
        _environment()
        .get_template(TEMPLATE)
        .render(
            board=board,
            charts=charts,
            made=time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
            arrows=ARROWS,
            marks=MARKS,
            outcomes=OUTCOMES,
            most_runs=MOST_RUNS,
            column_groups=column_groups,
            first_titles=first_titles,
            first_words=first_words,
            has_verdicts=has_verdicts,
            run_anchor=run_anchor,
            run_page=partial(run_page, folder=folder),
            sources=sources,
            run_facts=run_facts,
            spread_rows=spread_rows,
            spread_titles=SPREADS,
        )
    )


def run_page(run: ResultsFile, folder: Path | None) -> str:
    """Address of the page beside a run's results, as seen from `folder`; empty where there is none.

    Relative, so that both may be moved together.
    """
    page = run.path.absolute().parent / PAGE
    if folder is None or not page.is_file():
        return ""
    return quote(Path(os.path.relpath(page, folder.absolute())).as_posix())


def column_groups(table: Table) -> list[tuple[str, int]]:
    """Titles over several columns with their widths; empty where the table has none."""
    groups = itertools.groupby(table.columns, key=lambda column: column.group)
    found = [(name, len(list(members))) for name, members in groups]
    return found if any(name for name, _ in found) else []


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("evaluation.leaderboard", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
