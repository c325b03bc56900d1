"""Hydra's own launchers and sweepers: `motiongpt run` with overrides that begin with `hydra`.

An experiment is then one job of Hydra's: all its stages in one process. What experiments share is
run once all the same: whoever comes second waits for the first.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, OmegaConf

from launch.composition import overrides as conf
from launch.composition.compose import (
    COMPOSITION_ERRORS,
    ROOT_CONFIG,
    complete,
    compose_by_hydra,
)
from launch.composition.datasets import ensure_stores
from launch.composition.messages import one_line
from launch.composition.overrides import (
    SEARCHPATH,
    choices,
    for_hydra,
    listed_values,
    one_value_each,
    parse_overrides,
)
from launch.jobs.execute import execute
from launch.jobs.requeue import requeued_when_preempted
from launch.plans.graph import Planned, needed, plan_experiment
from launch.plans.objective import objective_run, objective_value
from launch.plans.planning import check_stages
from launch.quiet import quiet
from launch.sweeps.preflight import preflight_lines
from launch.tables import result_text, stage_lines
from motiongpt.errors import UserError

# Ahead of the user's words, who may say otherwise.
OVERRIDES = [
    "hydra.job.name=motiongpt",
    "hydra.run.dir=${paths.root}/hydra/${now:%Y-%m-%d_%H-%M-%S-%f}",
    "hydra.sweep.dir=${paths.root}/hydra/${now:%Y-%m-%d_%H-%M-%S-%f}",
    "+hydra.callbacks.motiongpt._target_=launch.hydra_app.BeforeTheFirst",
]
# Hydra's is null, to which the command line can add nothing.
SPACE = ["+hydra.sweeper={params: {}}"]
MAY_CHANGE_DATA = ("data", "experiment", "debug")
OPTIMIZERS = ("optuna", "ax", "nevergrad")  # sweepers of Hydra's that ask for a number


def is_for_hydra(overrides: Sequence[str]) -> bool:
    """Whether these overrides of `motiongpt run` speak to Hydra itself.

    Where it looks for files is of use without its launchers and sweepers too.
    """
    keys = [word.lstrip("+~").partition("=")[0] for word in overrides]
    return any(key.startswith(("hydra/", "hydra.")) and key != SEARCHPATH for key in keys)


def show_by_hydra(flags: Sequence[str], points: Sequence[Sequence[str]]) -> None:
    """What Hydra tells of each experiment by its flags: --cfg, --info, --package, --resolve.

    Raises:
        UserError: an option or a choice that does not exist.
    """
    for point in points:
        if len(points) > 1:
            print(f"--- # {' '.join(point)}", flush=True)
        words = [*OVERRIDES, *map(written_for_hydra, parse_overrides(point))]
        _by_hydra([*flags, *words], point)


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


def run_hydra(overrides: Sequence[str], multirun: bool) -> None:
    """Hand everything to Hydra; returns when all experiments have ended.

    Args:
        multirun: sweep, as -m says.

    Raises:
        UserError: an option, a choice or a plugin that does not exist; the first experiment that
            failed.
    """
    parsed = parse_overrides(overrides)
    if not multirun:
        one_value_each(parsed)
    first = [
        *OVERRIDES,
        *(SPACE if any("hydra.sweeper.params" in word for word in overrides) else []),
    ]
    words = [*first, *map(written_for_hydra, parsed)]
    _by_hydra([*(["-m"] if multirun else []), *words], overrides)


def _by_hydra(words: Sequence[str], overrides: Sequence[str]) -> None:
    """Hydra's own command line with these words; `overrides` are for messages."""
    application = hydra.main(
        config_path=str(conf.CONF), config_name=ROOT_CONFIG, version_base="1.3"
    )(run_experiment)
    with _command_line(words):
        try:
            application()
        except Refused as refused:
            raise refused.error from refused
        except COMPOSITION_ERRORS as error:
            raise UserError(one_line(str(error), overrides, compose_by_hydra)) from error


def run_experiment(config: DictConfig) -> float | None:
    """What a job of Hydra's does: one experiment, in this process.

    Args:
        config: as Hydra composed it.

    Returns:
        The sweep's objective; None if there is none.

    Raises:
        UserError: a stage failed, or has no such metric.
        KeyboardInterrupt: the process was asked to stop; the same command goes on.
    """
    quiet()
    about = HydraConfig.get()
    complete(config, about.runtime.choices)
    OmegaConf.resolve(config)
    OmegaConf.set_readonly(config, True)
    point = " ".join(about.overrides.task)
    stores = ensure_stores(config)
    plan = needed(plan_experiment(config, *stores.trained, point, judged=stores.judged))
    check_stages(plan)
    wanted = objective_run(plan, config.objective)
    root = Path(config.paths.root)
    for line in [point or "default", *stage_lines(plan), *preflight_lines(plan, root)]:
        print(line, flush=True)
    with requeued_when_preempted():
        failed = execute(plan)
    if failed:
        signature, said = next(iter(failed.items()))
        stage = next(one.run for one in plan if one.run.signature == signature)
        raise UserError(f"{point}: {stage.stage} {signature}: {said}")
    for goal in _goals(plan):
        print(f"{goal.run.folder}\n{result_text(goal.run)}", flush=True)
    return None if wanted is None else objective_value(wanted, config.objective)


def written_for_hydra(override: Override) -> str:
    """An override as Hydra's sweepers take it: choices that read as numbers are in quotes.

    Raises:
        UserError: a choice that is no name, or an interval of choices.
    """
    group = override.key_or_group.split("@")[0]
    if not override.is_sweep_override():
        return for_hydra(override)
    if not choices(group):
        return str(override.input_line)
    values = (f"'{one}'" if one.isdigit() else one for one in listed_values(override))
    # The functions of Hydra's grammar lose the quotes, a plain list keeps them.
    return f"{override.get_key_element()}={','.join(values)}"


class Refused(BaseException):
    """Ends Hydra before the first experiment: of an `Exception` in a callback it only warns."""

    def __init__(self, error: UserError) -> None:
        self.error = error


class BeforeTheFirst(Callback):
    """What can be said, or done, before the first experiment of a command starts."""

    def on_run_start(self, config: DictConfig, **rest: Any) -> None:
        """One experiment: see that Hydra can do it."""
        with _refusing():
            _check(config)

    def on_multirun_start(self, config: DictConfig, **rest: Any) -> None:
        """Several: see that Hydra can do it, put its search space in order, prepare common data."""
        with _refusing():
            _check(config)
            space = config.hydra.sweeper.get("params") or {}
            for key, value in space.items():
                (override,) = parse_overrides([f"{key}={value}"])
                space[key] = written_for_hydra(override).partition("=")[2]
            task = parse_overrides(list(config.hydra.overrides.task))
            swept = [*space, *(one.key_or_group for one in task if one.is_sweep_override())]
            if not any(str(key).split(".")[0] in MAY_CHANGE_DATA for key in swept):
                ensure_stores(config)

    def on_multirun_end(self, config: DictConfig, **rest: Any) -> None:
        """Where everything is."""
        print(
            f"Hydra's files: {config.hydra.sweep.dir}; all runs: "
            f"motiongpt status paths.root={config.paths.root}",
            flush=True,
        )


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


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise Refused(error) from error


def _check(config: DictConfig) -> None:
    chosen = config.hydra.runtime.choices
    sweeper = chosen["hydra/sweeper"]
    if config.objective is None and sweeper in OPTIMIZERS:
        raise UserError(
            f"hydra/sweeper={sweeper}: objective=STAGE/METRIC is needed, as "
            "objective=tokenizer/val/mpjpe_mm"
        )
    if chosen.launcher != "debug":
        raise UserError(
            f"launcher={chosen.launcher}: with Hydra's own ways, hydra/launcher= says where "
            "experiments run; leave one of the two away"
        )


def _goals(plan: Sequence[Planned]) -> list[Planned]:
    parents = {run.signature for stage in plan for run in stage.parents.values()}
    return [stage for stage in plan if stage.run.signature not in parents]
