"""Free disk space: old checkpoints, left-over attempts; scored predictions where asked."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from launch.composition.roots import split_root
from launch.sweeps.cleaning import Waste, find_scored, find_waste
from motiongpt.errors import UserError

EXAMPLES = """examples:
  motiongpt clean --dry-run
  motiongpt clean                         # checkpoints of finished runs, and what was left over
  motiongpt clean --predictions           # also predictions whose scores are there
  motiongpt clean --unreferenced 30       # also runs that no sweep and no other run refers to
"""


def main(arguments: Sequence[str]) -> int:
    """Say what goes, and delete it."""
    parser = argparse.ArgumentParser(
        prog="motiongpt clean",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("words", nargs="*", help="paths.root=FOLDER")
    parser.add_argument("--dry-run", action="store_true", help="say what would go and stop")
    parser.add_argument(
        "--unreferenced",
        type=float,
        metavar="DAYS",
        help="also runs older than that many days that nothing refers to",
    )
    parser.add_argument(
        "--predictions",
        action="store_true",
        help="also predictions whose scores are there; another protocol makes them anew",
    )
    options = parser.parse_intermixed_args(arguments)
    root, _ = split_root(options.words)
    found, scored = find_waste(root, options.unreferenced), _scored(root, options.predictions)
    if options.predictions:
        known = {one.path for one in found}
        found += [one for one in scored if one.path not in known]
    for one in found:
        print(f"{'would delete' if options.dry_run else 'deletes'} {one}", flush=True)
        if not options.dry_run:
            one.delete()
    print(_total(found, options.dry_run))
    if scored and not options.predictions:
        size = sum(one.bytes for one in scored) / 1e6
        print(
            f"kept: {size:.1f} MB of predictions whose scores are there, of {len(scored)} runs; "
            "--predictions deletes them too"
        )
    return 0


def _scored(root: Path, asked: bool) -> list[Waste]:
    """Predictions that have been scored; where they were not asked for, none if a damaged file
    leaves that open.

    Raises:
        UserError: they were asked for, and it is open.
    """
    try:
        return find_scored(root)
    except UserError:
        if asked:
            raise
        return []


def _total(found: Sequence[Waste], dry_run: bool) -> str:
    size = sum(one.bytes for one in found) / 1e6
    return f"{'would free' if dry_run else 'freed'} {size:.1f} MB in {len(found)} places"
