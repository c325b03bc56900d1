"""Options that several commands share: of those that compose experiments, plan, carry them out."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from launch.composition.overrides import with_config_dir

CONFIG_DIR = "--config-dir"


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


def add_config_dir(parser: argparse.ArgumentParser) -> None:
    """--config-dir, of every command that composes an experiment."""
    parser.add_argument(CONFIG_DIR, metavar="DIR", help="further yaml of groups, your own")


def with_own_configs(overrides: Sequence[str], options: argparse.Namespace) -> list[str]:
    """`overrides`, and one that says the same as --config-dir where that is given.

    Raises:
        UserError: a word that is no override, or a folder that Hydra can't be told of.
    """
    folder = options.config_dir
    return list(overrides) if folder is None else with_config_dir(overrides, folder)


def wherever_typed(arguments: Sequence[str]) -> list[str]:
    """`arguments` with the folder of --config-dir in full, for a record to be resumed by."""
    parser = argparse.ArgumentParser(add_help=False)
    add_config_dir(parser)
    given, others = parser.parse_known_args(arguments)
    if given.config_dir is None:
        return list(arguments)
    return [CONFIG_DIR, str(Path(given.config_dir).resolve()), *others]
