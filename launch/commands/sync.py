"""Upload what W&B's server lacks of all runs below a root: parents first, each step once."""

import argparse
import sys
from collections.abc import Sequence

from launch.composition.roots import split_root
from launch.loggers.wandb_mode import wandb_mode
from launch.loggers.wandb_server import check_server, quiet_wandb
from launch.sweeps.wandb_runs import Found, find_unsent_runs, send
from motiongpt.errors import UserError

EXAMPLES = """examples:
  motiongpt sync
  motiongpt sync paths.root=outputs --dry-run
  WANDB_BASE_URL=https://wandb.example.org motiongpt sync

Before the first time: wandb login
"""


def main(arguments: Sequence[str]) -> int:
    """Send what was not sent; 1 if one could not be."""
    parser = argparse.ArgumentParser(
        prog="motiongpt sync",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("words", nargs="*", help="paths.root=FOLDER")
    parser.add_argument("--dry-run", action="store_true", help="say what would go and stop")
    parser.add_argument(
        "--timeout",
        type=float,
        default=600.0,
        metavar="SECONDS",
        help="for one run (default 600)",
    )
    options = parser.parse_intermixed_args(arguments)
    root, names = split_root(options.words)
    if names:
        raise UserError(f"{names[0]}: not an option; all runs below paths.root=FOLDER are sent")
    found = find_unsent_runs(root)
    failed = list(found.damaged)
    for line in failed:
        print(f"failed {line}", file=sys.stderr, flush=True)
    if found.runs and not options.dry_run:
        _check()
    for run in found.runs:
        said = "" if options.dry_run else send(run, options.timeout)
        if said:
            failed.append(said)
            print(f"failed {run}: {said}", file=sys.stderr, flush=True)
        else:
            print(f"{'would sync' if options.dry_run else 'synced'} {run}", flush=True)
    print(_summary(found, len(failed), options.dry_run))
    return 1 if failed else 0


def _check() -> None:
    """Stop before the first run rather than wait for a server that is not there.

    Raises:
        UserError: W&B is not installed or switched off, or nothing answers.
    """
    if wandb_mode("online") == "disabled":
        raise UserError("nothing was sent: WANDB_MODE or WANDB_DISABLED says so; unset it")
    try:
        check_server(quiet_wandb().setup().settings.base_url)
    except (ImportError, ConnectionError) as error:
        raise UserError(f"nothing was sent: {error}") from error


def _summary(found: Found, failed: int, dry_run: bool) -> str:
    sent = len(found.runs) + len(found.damaged) - failed
    parts = [f"{sent} {'to sync' if dry_run else 'synced'}", f"{found.synced} synced before"]
    if found.running:
        parts.append(f"{len(found.running)} still running")
    if failed:
        parts.append(f"{failed} failed")
    return ", ".join(parts)
