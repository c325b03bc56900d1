"""List the runs: experiment, stage, state, job, node, progress and last metrics; --watch lives."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from launch.composition.roots import split_root
from launch.sweeps.overview import overview, overview_table

EXAMPLES = """examples:
  motiongpt status
  motiongpt status quickstart-1a2b3c4d --watch
  motiongpt status paths.root=outputs --live
"""


def main(arguments: Sequence[str]) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="motiongpt status",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("words", nargs="*", help="a sweep's name; paths.root=FOLDER")
    parser.add_argument(
        "--watch",
        nargs="?",
        type=float,
        const=5.0,
        metavar="SECONDS",
        help="show it anew every few seconds (default 5) until nothing runs or waits",
    )
    parser.add_argument("--live", action="store_true", help="only what runs or waits to run")
    options = parser.parse_intermixed_args(arguments)
    root, names = split_root(options.words)
    while True:
        lines = [line for name in names or [""] for line in overview(root, name)]
        shown = [line for line in lines if line.is_live or not options.live]
        text = overview_table(shown) if shown else _nothing(root, options.live)
        if options.watch is None or not sys.stdout.isatty():
            print(text, flush=True)
        else:
            print(f"\x1b[2J\x1b[H{time.strftime('%H:%M:%S')}\n{text}", flush=True)
        if options.watch is None or not any(line.is_live for line in lines):
            return 0
        time.sleep(options.watch)


def _nothing(root: Path, live: bool) -> str:
    if live:
        return f"nothing runs or waits below {root}"
    return f"no runs below {root}/runs yet; `motiongpt run experiment=quickstart` makes the first"
