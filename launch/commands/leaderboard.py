"""Gather our results and the published ones into tables with verdicts."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from evaluation.leaderboard.board import Board, build_board
from evaluation.leaderboard.formats import FORMATS, write_board
from evaluation.leaderboard.plain import plain_table
from evaluation.leaderboard.published_file import find_tables
from evaluation.leaderboard.runs import gather
from evaluation.reports.results_file import ResultsFile
from launch.composition.compose import compose_config
from launch.composition.protocols import shipped_protocols
from launch.composition.studies import EXPERIMENTS
from motiongpt.errors import UserError
from motiongpt.files import write_text

EXAMPLES = """examples:
  motiongpt leaderboard
  motiongpt leaderboard --table downsampling codebook
  motiongpt leaderboard --runs outputs /data/other_outputs --protocol guo2022 --output site
  motiongpt leaderboard --table t2m --format latex --output t2m.tex
  motiongpt leaderboard --format csv | head
"""


def main(arguments: Sequence[str]) -> int:
    """Write the leaderboard, and print what was asked for."""
    options = _parser().parse_args(arguments)
    folder = Path(compose_config().paths.root)
    named = options.runs or ([folder] if folder.exists() else [])
    runs, left_out = gather([*named, EXPERIMENTS])
    shipped = shipped_protocols()
    runs = _under(runs, options.protocol, list(shipped))
    board = build_board(find_tables(EXPERIMENTS, options.table), runs, shipped, left_out)
    for line in left_out:
        print(f"left out: {line}", file=sys.stderr)
    if options.format not in (None, "html") and options.output is None:
        print(FORMATS[options.format][1](board, None), end="")
        return 0
    if options.table:
        print("\n\n".join(map(plain_table, board.tables)) + "\n")
    for file in _write(board, options.format, options.output or folder / "leaderboard"):
        print(f"wrote {file}")
    print(f"{len(board.runs)} evaluations of ours in {len(board.tables)} tables")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="motiongpt leaderboard",
        description=f"{__doc__} The committed results of experiments/ are always among them.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--runs",
        type=Path,
        nargs="+",
        metavar="ROOT",
        help="outputs roots, other folders or single results.json; default: the outputs root",
    )
    parser.add_argument(
        "--table", nargs="+", default=[], metavar="NAME", help="only these, and print them"
    )
    parser.add_argument(
        "--protocol", nargs="+", default=[], metavar="NAME", help="only our runs under these"
    )
    parser.add_argument(
        "--format", choices=list(FORMATS), help="only this one; to the terminal if it is text"
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FILE|FOLDER",
        help="where to write; a file only with --format; default: leaderboard/ in the outputs root",
    )
    return parser


def _under(
    runs: Sequence[ResultsFile], protocols: Sequence[str], shipped: Sequence[str]
) -> list[ResultsFile]:
    valid = dict.fromkeys([*shipped, *(str(run.protocol["name"]) for run in runs)])
    if unknown := [name for name in protocols if name not in valid]:
        raise UserError(f"--protocol {unknown[0]}: no such protocol; valid: {', '.join(valid)}")
    return [run for run in runs if not protocols or run.protocol["name"] in protocols]


def _write(board: Board, only: str | None, output: Path) -> list[Path]:
    if only is not None and output.suffix and not output.is_dir():
        write_text(output, FORMATS[only][1](board, output.parent))
        return [output]
    if output.is_file():
        raise UserError(
            f"--output {output}: a file takes one format; add --format or name a folder"
        )
    return write_board(board, output, formats=list(FORMATS) if only is None else [only])
