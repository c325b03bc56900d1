"""The formats that a leaderboard is written in."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from evaluation.leaderboard.board import Board
from evaluation.leaderboard.csv_file import csv_text
from evaluation.leaderboard.html_page import html_page
from evaluation.leaderboard.latex import latex
from evaluation.leaderboard.markdown import markdown
from motiongpt.files import write_text

Writer = Callable[[Board, Path | None], str]
"""Text of a board that will lie in a folder; None for the terminal."""


def _anywhere(write: Callable[[Board], str]) -> Writer:
    """What is the same wherever it lies."""
    return lambda board, folder: write(board)


FORMATS: Mapping[str, tuple[str, Writer]] = {
    "html": (".html", html_page),
    "markdown": (".md", _anywhere(markdown)),
    "csv": (".csv", _anywhere(csv_text)),
    "latex": (".tex", _anywhere(latex)),
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
        write_text(file, write(board, Path(folder)))
        files.append(file)
    return files
