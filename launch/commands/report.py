"""Show what came of a sweep so far: its table, pictures in plots/, and what is missing and why."""

import argparse
from collections.abc import Sequence

from launch.composition.roots import split_root
from launch.sweeps.closing import close_sweep
from launch.sweeps.record import readable_sweep, sweep_names
from motiongpt.errors import UserError

EXAMPLES = """examples:
  motiongpt report                        # the latest sweep
  motiongpt report quickstart-1a2b3c4d
  motiongpt report quickstart-1a2b3c4d --wandb    # a report on W&B's server, too
"""


def main(arguments: Sequence[str]) -> int:
    """Print and write it; 1 if an experiment has no result, 2 if a sweep can't be read."""
    parser = argparse.ArgumentParser(
        prog="motiongpt report",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("words", nargs="*", help="sweeps; paths.root=FOLDER")
    parser.add_argument(
        "--wandb", action="store_true", help="make a report of it on W&B's server (extra `reports`)"
    )
    options = parser.parse_intermixed_args(arguments)
    root, names = split_root(options.words)
    known = sweep_names(root)
    if not names and not known:
        raise UserError(f"no sweep below {root}; `motiongpt run -m …` makes one")
    found = (readable_sweep(root, name) for name in names or reversed(known))
    sweeps = [one for one in found if one is not None][: len(names) or 1]
    reports = [close_sweep(one) for one in sweeps]
    for report in reports:
        print(report.text, flush=True)
    if options.wandb:
        from launch.sweeps.wandb_report import save_wandb_report  # loads matplotlib

        for sweep in sweeps:
            print(f"W&B: {save_wandb_report(sweep)}", flush=True)
    if len(reports) < (len(names) or 1):
        return 2
    return 1 if any(report.missing for report in reports) else 0
