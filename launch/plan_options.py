"""Options of the commands that plan experiments and carry them out."""

import argparse


def add_plan_options(parser: argparse.ArgumentParser) -> None:
    """--dry-run, --wait, --again."""
    parser.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    parser.add_argument(
        "--wait", action="store_true", help="launcher=slurm: stay until all jobs have ended"
    )
    parser.add_argument(
        "--again",
        action="append",
        default=[],
        metavar="STAGE",
        help="make this stage and what follows from it anew; what is there stays until then",
    )
