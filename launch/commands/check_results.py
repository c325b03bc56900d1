"""Say which kept results, and cards of evaluators, are not what today would be signed."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from launch.composition.studies import EXPERIMENTS
from launch.plans.committed import check_committed

EXAMPLES = """examples:
  motiongpt check-results                       # all of experiments/
  motiongpt check-results experiments/quickstart my_results
  motiongpt check-results --with-data           # data that is prepared must be the same, too

A result is checked by the overrides and the data fingerprint that it records, without its data.
One that is not today's is to be made again, or marked in a README above it by a line
  - stale: `results/results.json`: why
The exit status is 1 where file and README do not agree.
"""


def main(arguments: Sequence[str]) -> int:
    """Print one line a file; 1 if a stale one is not marked, or one that is marked is not stale."""
    parser = argparse.ArgumentParser(
        prog="motiongpt check-results",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    parser.add_argument(
        "--with-data", action="store_true", help="compare with prepared data, where there is any"
    )
    options = parser.parse_args(arguments)
    checked = check_committed(options.folders or [EXPERIMENTS], options.with_data)
    for one in checked:
        print(f"{one.path}: {one.stale or 'today’s'}")
        if one.wrong:
            print(f"  wrong: {one.wrong}")
    wrong = sum(bool(one.wrong) for one in checked)
    stale = sum(bool(one.stale) for one in checked)
    print(f"{len(checked)} results, {stale} of them stale, {wrong} not marked rightly")
    return 1 if wrong else 0
