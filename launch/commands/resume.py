"""Go on with a sweep: run or submit what has no result, by the command that made it."""

import argparse
import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from launch.commands import command
from launch.composition.overrides import in_quotes
from launch.composition.roots import split_root
from launch.sweeps.record import read_sweep, sweep_names
from motiongpt.errors import UserError

EXAMPLES = """examples:
  motiongpt resume                                    # the latest sweep
  motiongpt resume quickstart-1a2b3c4d --wait
  motiongpt resume quickstart-1a2b3c4d launcher=local # overrides are added to the command
"""
PLAIN_PATH = re.compile(r"[\w.-]*/[\w/.-]*", re.ASCII)


def main(arguments: Sequence[str]) -> int:
    """As the command itself; 1 if an experiment has no result."""
    parser = argparse.ArgumentParser(
        prog="motiongpt resume",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("words", nargs="*", help="a sweep; overrides, as paths.root=FOLDER")
    parser.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    parser.add_argument("--wait", action="store_true", help="stay until all jobs have ended")
    options = parser.parse_intermixed_args(arguments)
    root, names = split_root([word for word in options.words if "=" not in word or _is_root(word)])
    names = names or sweep_names(root)[-1:]
    if len(names) != 1:
        raise UserError(f"name one sweep to resume; below {root}: {', '.join(sweep_names(root))}")
    sweep = read_sweep(root, names[0])
    name, *words = sweep.words
    added = [word for word in options.words if "=" in word and not _is_root(word)]
    flags = [f"--{flag}" for flag in ("dry-run", "wait") if vars(options)[flag.replace("-", "_")]]
    kept = [word for word in words if word not in ("--dry-run", "--wait") and not _is_root(word)]
    words = [*kept, _root_override(root), *added, *flags]
    print(shlex.join(["motiongpt", name, *words]), flush=True)
    return int(command(name).main(words, resumed=sweep))


def _root_override(root: Path) -> str:
    """The override as Hydra's grammar takes it, whatever letters the folder's name has."""
    if PLAIN_PATH.fullmatch(str(root)):
        return f"paths.root={root}"
    return f"paths.root={in_quotes(str(root))}"


def _is_root(word: str) -> bool:
    return word.startswith("paths.root=")
