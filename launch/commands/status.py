"""List the runs: stage, signature, state, progress and last metrics."""

import argparse
from collections.abc import Sequence

from launch.compose import compose_config
from launch.ledger import all_runs
from launch.tables import status_table


def main(arguments: Sequence[str]) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(
        prog="motiongpt status",
        description=__doc__,
        epilog="example:\n  motiongpt status paths.root=outputs",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("overrides", nargs="*", help="Hydra overrides, as paths.root=FOLDER")
    options = parser.parse_args(arguments)
    config = compose_config(options.overrides)
    runs = all_runs(config.paths.root)
    print(
        status_table(runs)
        if runs
        else f"no runs below {config.paths.root}/runs yet; "
        "`motiongpt run experiment=quickstart` makes the first"
    )
    return 0
