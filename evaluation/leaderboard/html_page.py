"""The leaderboard as one HTML page that needs nothing else: no network, no other file."""

import itertools
import os
import time
from functools import partial
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from evaluation.leaderboard.board import Board
from evaluation.leaderboard.motions import shared_motions
from evaluation.leaderboard.radar import AXES, MOST_RUNS, radars
from evaluation.leaderboard.radar_svg import line_class, radar_svg
from evaluation.leaderboard.runs import run_anchor, run_facts
from evaluation.leaderboard.table import Group, Table
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
from evaluation.replications.results import MODEL
from evaluation.reports.result_page.reading import SCRIPTS
from evaluation.reports.results_file import PAGE, ResultsFile
from motiongpt.viewer.html import PAGE as VIEWER
from motiongpt.viewer.html import one_program, readable, rendered, self_contained

MARKS = {"reproduced": "=", "better": "▲", "worse": "▼", "not comparable": "≠"}
HERE = Path(__file__).parent / "page"
MAIN = {(axis.task, axis.metric) for axis in AXES} | {
    ("text_to_motion", "r_top3"),
    ("reconstruction", "mpjpe"),
    ("reconstruction", "fid"),
    ("prediction", "ade"),
    ("inbetween", "ade"),
}
"""(task, metric) of what is shown of a task before a person asks for more."""


def html_page(board: Board, folder: Path | None = None) -> str:
    """The page: what the methods made of the same requests, tables that sort, fold and filter,
    charts, and the runs with all that their numbers depend on.

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
    data = shared_motions(board.runs)
    motion = bool(data["shown"])
    own = [SCRIPTS / "tables.js", HERE / "board.js"]
    moving = [SCRIPTS / "tables.js", SCRIPTS / "results.js", HERE / "board.js"]
    policy, tags = self_contained(_viewer(*moving) if motion else [one_program(own)])
    styles = (VIEWER / "style.css", SCRIPTS / "results.css", HERE / "board.css")
    return rendered(
        HERE / "board.html",
        "Leaderboard",
        "".join(map(readable, styles)),
        data,
        policy,
        tags,
        motion=motion,
        board=board,
        tables=sorted(board.tables, key=own_rows, reverse=True),  # what is asked about comes first
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
        is_main=lambda column: (column.task, column.metric) in MAIN,
        own_rows=own_rows,
        own_first=own_first,
        run_anchor=run_anchor,
        run_page=partial(run_page, folder=folder),
        sources=sources,
        run_facts=run_facts,
        spread_rows=spread_rows,
        spread_titles=SPREADS,
    )


def _viewer(*starters: Path) -> list[str]:
    from motiongpt.viewer.page import viewer_scripts  # loads what packs motion

    return viewer_scripts(*starters)


def own_rows(table: Table) -> int:
    """How many of our models it shows."""
    return sum(row.name == MODEL for group in table.groups for row in group.rows)


def own_first(table: Table) -> list[Group]:
    """Its groups, ours ahead of the published ones and the newest ahead of ours: what whoever made
    the page looks for."""

    def newest(group: Group) -> str:
        return max((row.run.time for row in group.rows if row.run is not None), default="")

    return sorted(table.groups, key=newest, reverse=True)


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
