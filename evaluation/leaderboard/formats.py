"""The formats that a leaderboard is written in."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from evaluation.leaderboard.board import Board
from evaluation.leaderboard.csv_file import csv_text
from evaluation.leaderboard.html_page import html_page
from evaluation.leaderboard.latex import latex
from evaluation.leaderboard.markdown import markdown
from motiongpt.files import write_text

FORMATS: Mapping[str, tuple[str, Callable[[Board], str]]] = {
    "html": (".html", html_page),
    "markdown": (".md", markdown),
    "csv": (".csv", csv_text),
    "latex": (".tex", latex),
}
"""Name -> ending of its files, and the function that writes it."""


def write_board(
    board: Board, folder: Path, stem: str = "leaderboard", formats: Sequence[str] = tuple(FORMATS)
) -> list[Path]:
    """Write `folder/stem.*` in the given formats and return the files.

    Raises:
        OSError: the folder can't be written.
    """
    files = []
    for name in formats:
        ending, write = FORMATS[name]
        file = Path(folder) / f"{stem}{ending}"
        write_text(file, write(board))
        files.append(file)
    return files
