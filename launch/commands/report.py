"""Show what came of a sweep so far: its table, and what is missing and why."""

import argparse
from collections.abc import Sequence

from launch.composition.roots import split_root
from launch.sweeps.closing import close_sweep
from launch.sweeps.record import read_sweep, sweep_names
from motiongpt.errors import UserError

EXAMPLES = """examples:
  motiongpt report                        # the latest sweep
  motiongpt report quickstart-1a2b3c4d
"""


def main(arguments: Sequence[str]) -> int:
    """Print and write it; 1 if an experiment has no result."""
    parser = argparse.ArgumentParser(
        prog="motiongpt report",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("words", nargs="*", help="sweeps; paths.root=FOLDER")
    options = parser.parse_intermixed_args(arguments)
    root, names = split_root(options.words)
    names = names or sweep_names(root)[-1:]
    if not names:
        raise UserError(f"no sweep below {root}; `motiongpt run -m …` makes one")
    reports = [close_sweep(read_sweep(root, name)) for name in names]
    for report in reports:
        print(report.text, flush=True)
    return 1 if any(report.missing for report in reports) else 0
