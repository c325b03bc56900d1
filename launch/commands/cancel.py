"""Cancel jobs: of a sweep, of single stages, or all; what they have kept stays."""

import argparse
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

from launch.composition.roots import split_root
from launch.jobs.submission_lock import submitting
from launch.launchers.known import cancel
from launch.sweeps.cancelling import all_jobs, chosen_jobs
from launch.sweeps.record import SWEEPS
from motiongpt.errors import UserError

EXAMPLES = """examples:
  motiongpt cancel quickstart-1a2b3c4d
  motiongpt cancel 5e6f7a8b
  motiongpt cancel --all paths.root=outputs

A job belongs to the sweep that submitted it. What another sweep submitted, and what another sweep
that has not ended waits for, is left and named.
"""


def main(arguments: Sequence[str]) -> int:
    """Cancel; 0 also where nothing was left to cancel."""
    parser = argparse.ArgumentParser(
        prog="motiongpt cancel",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("words", nargs="*", help="sweeps or signatures; paths.root=FOLDER")
    parser.add_argument("--all", action="store_true", help="every job of this root")
    options = parser.parse_intermixed_args(arguments)
    root, names = split_root(options.words)
    if bool(names) == options.all:
        raise UserError("name the sweeps or signatures to cancel, or say --all")
    with _nobody_submitting(root) as still_alone:
        chosen = all_jobs(root) if options.all else chosen_jobs(root, names)
        still_alone()
        cancel(chosen.jobs)
    print("\n".join([f"cancelled {len(chosen.jobs)} jobs", *chosen.left]))
    return 0


def _nobody_submitting(root: Path) -> AbstractContextManager[Callable[[], None]]:
    """Lest a sweep begins to wait for what is about to go."""
    if not (root / SWEEPS).exists():
        return nullcontext(lambda: None)
    return submitting(root, partial(print, flush=True))
