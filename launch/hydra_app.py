"""Hydra's own sweepers, launchers and flags: `motiongpt run` with words that speak to Hydra.

A sweeper's points are carried out by `launcher=`, as those of any sweep. With a launcher of Hydra's
an experiment is one job of its: all stages in one process; what experiments share runs once.
"""

import os
import shlex
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import hydra
from hydra.core.override_parser.types import Override

from launch.composition import overrides as conf
from launch.composition.compose import COMPOSITION_ERRORS, ROOT_CONFIG, compose_by_hydra
from launch.composition.messages import one_line
from launch.composition.overrides import SEARCHPATH, in_quotes, one_value_each, parse_overrides
from launch.hydra_jobs import (
    OURS,
    EndOfHydra,
    run_experiment,
    written_command,
    written_for_hydra,
)
from motiongpt.errors import UserError

# Ahead of the user's words, who may say otherwise.
OVERRIDES = [
    "hydra.job.name=motiongpt",
    "hydra.run.dir=${paths.root}/hydra/${now:%Y-%m-%d_%H-%M-%S-%f}",
    "hydra.sweep.dir=${paths.root}/hydra/${now:%Y-%m-%d_%H-%M-%S-%f}",
    "+hydra.callbacks.motiongpt._target_=launch.hydra_jobs.BeforeTheFirst",
]
# Hydra's is null, to which the command line can add nothing.
SPACE = ["+hydra.sweeper={params: {}}"]


def is_for_hydra(overrides: Sequence[str]) -> bool:
    """Whether these overrides of `motiongpt run` speak to Hydra itself.

    Where it looks for files is of use without its launchers and sweepers too.
    """
    return any(
        key.startswith(("hydra/", "hydra.")) and key != SEARCHPATH for key in _keys(overrides)
    )


def is_for_sweeper(overrides: Sequence[str]) -> bool:
    """Whether these overrides speak to a sweeper of Hydra's, which proposes the points itself."""
    return any(key.startswith(("hydra/sweeper", "hydra.sweeper.")) for key in _keys(overrides))


def _keys(overrides: Sequence[str]) -> list[str]:
    return [word.lstrip("+~").partition("=")[0] for word in overrides]


def show_by_hydra(flags: Sequence[str], points: Sequence[Sequence[str]]) -> None:
    """What Hydra tells of each experiment by its flags: --cfg, --info, --package, --resolve.

    Raises:
        UserError: an option or a choice that does not exist.
    """
    for point in points:
        if len(points) > 1:
            print(f"--- # {' '.join(point)}", flush=True)
        words = [*OVERRIDES, *map(written_for_hydra, parse_overrides(point)), *_choices(point)]
        _by_hydra([*flags, *words], point)


def _choices(point: Sequence[str]) -> list[str]:
    """Overrides that fill in the groups' choices, to which an experiment's options refer."""
    chosen = compose_by_hydra(point).choices
    return [f"++choices.{group}={in_quotes(choice)}" for group, choice in chosen.items()]


def complete_words(words: Sequence[str], commands: Sequence[str]) -> None:
    """Hydra's completion of a shell's line: `install=bash`, `query=bash` and the others.

    Args:
        commands: of `motiongpt`, the first word of a line; overrides follow.

    Raises:
        UserError: a shell that Hydra does not know.
    """
    line = os.environ.get("COMP_LINE", "")
    typed = line.split()
    if "query" in words[0] and len(typed) + line.endswith(" ") <= 2:
        print(" ".join(commands))
        return
    overrides = [word for word in typed[2:] if not word.startswith("-")]
    os.environ["COMP_LINE"] = " ".join([*typed[:1], *overrides]) + line[len(line.rstrip()) :]
    _by_hydra(["--shell-completion", *words], words)


def run_hydra(
    overrides: Sequence[str], multirun: bool, dry_run: bool = False, again: Sequence[str] = ()
) -> None:
    """Hand everything to Hydra; returns when all experiments have ended.

    Args:
        multirun: sweep, as -m says.
        dry_run: print the plan of the sweeper's first points and stop; nothing is written.
        again: stages to make anew.

    Raises:
        UserError: an option, a choice or a plugin that does not exist; the first experiment that
            failed.
    """
    parsed = parse_overrides(overrides)
    if not multirun:
        one_value_each(parsed)
    flags = ["-m"] if multirun else []
    words = [
        *flags,
        *OVERRIDES,
        *(SPACE if any("hydra.sweeper.params" in word for word in overrides) else []),
        *_launcher(parsed, shlex.join([OURS, "run", *flags, *overrides]), dry_run, again),
    ]
    written = list(map(written_for_hydra, parsed))
    with tempfile.TemporaryDirectory() as passing:
        # Hydra writes down what it composed wherever it runs.
        away = [f"hydra.{kind}.dir={in_quotes(passing)}" for kind in ("run", "sweep")]
        _by_hydra([*words, *written, *(away if dry_run else [])], overrides)


def _launcher(
    given: Sequence[Override], command: str, dry_run: bool, again: Sequence[str]
) -> list[str]:
    """Overrides by which Hydra uses the launcher that hands its points to ours."""
    others = [one.input_line for one in given if one.key_or_group == "hydra/launcher"]
    if others and (dry_run or again):
        raise UserError(f"{others[0]}: --dry-run and --again are for launcher=; leave it away")
    if others:
        return []
    stages = ",".join(again)
    return [
        f"hydra/launcher={OURS}",
        f"hydra.launcher.command={in_quotes(written_command(command))}",
        f"hydra.launcher.dry_run={dry_run}",
        f"hydra.launcher.again=[{stages}]",
    ]


def _by_hydra(words: Sequence[str], overrides: Sequence[str]) -> None:
    """Hydra's own command line with these words; `overrides` are for messages."""
    application = hydra.main(
        config_path=str(conf.CONF), config_name=ROOT_CONFIG, version_base="1.3"
    )(run_experiment)
    with _command_line(words):
        try:
            application()
        except EndOfHydra as end:
            if end.error is not None:
                raise end.error from end
        except COMPOSITION_ERRORS as error:
            raise UserError(one_line(str(error), overrides, compose_by_hydra)) from error


@contextmanager
def _command_line(words: Sequence[str]) -> Iterator[None]:
    """Hydra reads the command line itself, and ends the process on an error unless told not to."""
    arguments, full_error = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv, os.environ["HYDRA_FULL_ERROR"] = [sys.argv[0], *words], "1"
    try:
        yield
    finally:
        sys.argv = arguments
        if full_error is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = full_error
