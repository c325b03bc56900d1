"""What Hydra calls: a batch of any sweeper's points, or one experiment.

Both carry experiments out as `motiongpt run` does, so that what they share is run once.
"""

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, unquote

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.types import Override
from hydra.core.utils import JobReturn, JobStatus
from hydra.experimental.callback import Callback
from omegaconf import DictConfig

from launch.composition.datasets import ensure_stores
from launch.composition.overrides import (
    SEARCHPATH,
    choices,
    for_hydra,
    is_choice,
    listed_values,
    parse_overrides,
    refuse_reference,
)
from launch.jobs.requeue import requeued_when_preempted
from launch.plans.graph import Planned
from launch.plans.objective import objective_run, objective_value
from launch.quiet import quiet
from launch.sweeps.carry_out import carry_out
from launch.sweeps.experiments import plan_experiments
from launch.sweeps.missing import missing_of
from launch.sweeps.record import Point, Sweep
from motiongpt.errors import UserError

OURS = "motiongpt"  # of hydra/launcher
MAY_CHANGE_DATA = ("data", "experiment", "debug")
Outcome = float | UserError | None
"""The objective's value, why there is none, or None where no objective was asked for."""
OPTIMIZERS = ("optuna", "ax", "nevergrad")  # sweepers of Hydra's that ask for a number


class EndOfHydra(BaseException):
    """Ends Hydra's work at once: of an `Exception` in a callback it only warns.

    Attributes:
        error: what is refused; None where all is said, as in a dry run.
    """

    def __init__(self, error: UserError | None = None) -> None:
        self.error = error


def run_batch(
    points: Sequence[Sequence[str]],
    hydras: Sequence[str],
    command: str,
    dry_run: bool,
    again: Sequence[str],
) -> list[JobReturn]:
    """What hydra/launcher=motiongpt does with the points of a sweeper, to the end.

    Args:
        points: overrides of each.
        hydras: overrides of Hydra's own options.
        command, dry_run, again: see `hydra_plugins.motiongpt`.

    Raises:
        UserError: as `motiongpt run`, before the first stage starts.
    """
    more = _searchpath(hydras)
    plain = [[*map(_plain, parse_overrides(words)), *more] for words in points]
    found = _outcomes(plain, _read_command(command), dry_run, again)
    return [_returned(*one) for one in zip(points, found, strict=True)]


def run_experiment(config: DictConfig) -> float | None:
    """What a job of Hydra's does: one experiment, in this process.

    Args:
        config: as Hydra composed it; the overrides say the same, and are what is carried out.

    Returns:
        The sweep's objective; None if there is none.

    Raises:
        UserError: a stage failed, or has no such metric.
        KeyboardInterrupt: the process was asked to stop; the same command goes on.
    """
    quiet()
    about = HydraConfig.get()
    words = [
        *map(_plain, parse_overrides(about.overrides.task)),
        *_searchpath(about.overrides.hydra),
    ]
    given: Any = about.launcher if about.runtime.choices["hydra/launcher"] == OURS else {}
    command = _read_command(given.command) if given else shlex.join([OURS, "run", *words])
    with requeued_when_preempted():
        found = _outcomes([words], command, given.get("dry_run", False), given.get("again", ()))
    if isinstance(found[0], UserError):
        raise found[0]
    return found[0]


def written_command(command: str) -> str:
    """A command line as Hydra passes it on unread: in texts it follows references, ${…}, twice."""
    return quote(command, safe="", errors="surrogateescape")


def _read_command(written: str) -> str:
    return unquote(written, errors="surrogateescape")


def written_for_hydra(override: Override) -> str:
    """An override as Hydra's sweepers take it: choices that read as numbers are in quotes.

    Raises:
        UserError: a choice that is no name, or an interval of choices.
    """
    if not override.is_sweep_override():
        return for_hydra(override)
    if not choices(override.key_or_group.split("@")[0]):
        return str(override.input_line)
    values = (f"'{one}'" if one.isdigit() else one for one in listed_values(override))
    # The functions of Hydra's grammar lose the quotes, a plain list keeps them.
    return f"{override.get_key_element()}={','.join(values)}"


class BeforeTheFirst(Callback):
    """What can be said, or done, before the first experiment of a command starts."""

    def on_run_start(self, config: DictConfig, **rest: Any) -> None:
        """One experiment: see that Hydra can do it."""
        with _ending():
            _check(config)

    def on_multirun_start(self, config: DictConfig, **rest: Any) -> None:
        """Several: see that Hydra can do it, put its search space in order, prepare common data."""
        with _ending():
            _check(config)
            space = config.hydra.sweeper.get("params") or {}
            for key, value in space.items():
                (override,) = parse_overrides([f"{key}={value}"])
                space[key] = written_for_hydra(override).partition("=")[2]
            task = parse_overrides(list(config.hydra.overrides.task))
            swept = [*space, *(one.key_or_group for one in task if one.is_sweep_override())]
            common = not any(str(key).split(".")[0] in MAY_CHANGE_DATA for key in swept)
            if common and config.hydra.runtime.choices["hydra/launcher"] != OURS:
                ensure_stores(config)

    def on_multirun_end(self, config: DictConfig, **rest: Any) -> None:
        """Where everything is."""
        print(
            f"Hydra's files: {config.hydra.sweep.dir}; all runs: "
            f"motiongpt status paths.root={config.paths.root}",
            flush=True,
        )


def _outcomes(
    points: Sequence[Sequence[str]], command: str, dry_run: bool, again: Sequence[str]
) -> list[Outcome]:
    """Carry experiments out; what came of each."""
    words = shlex.split(command)[1:]
    experiments = plan_experiments(points, words, prepare=not dry_run, again=list(again))
    objective = experiments.config.objective
    wanted = [objective_run(plan, objective) for plan in experiments.plans]
    carry_out(experiments, dry_run, wait=True)
    if dry_run:
        raise EndOfHydra
    outcomes: list[Outcome] = []
    for point, plan, run in zip(experiments.sweep.points, experiments.plans, wanted, strict=True):
        failure = _failure(experiments.sweep, point, plan)
        value = None if run is None or failure else objective_value(run, objective)
        outcomes.append(failure or value)
    return outcomes


def _failure(sweep: Sweep, point: Point, plan: Sequence[Planned]) -> UserError | None:
    missing = missing_of(sweep, point, {})
    if missing is None:
        return None
    return UserError(f"{plan[0].needed_for[0]}: {missing.stage} {missing.signature} {missing.why}")


def _returned(words: Sequence[str], outcome: Outcome) -> JobReturn:
    """A point's outcome as Hydra's sweepers read it."""
    failed = isinstance(outcome, UserError)
    returned = JobReturn(
        overrides=list(words), status=JobStatus.FAILED if failed else JobStatus.COMPLETED
    )
    returned.return_value = outcome
    return returned


def _plain(override: Override) -> str:
    """The override as a person writes it: sweepers put choices that read as numbers in quotes."""
    if is_choice(override) and isinstance(override.value(), str):
        return f"{override.get_key_element()}={override.value()}"
    return str(override.input_line)


def _searchpath(words: Sequence[str]) -> list[str]:
    return [word for word in words if word.startswith(SEARCHPATH)]


@contextmanager
def _ending() -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise EndOfHydra(error) from error


def _check(config: DictConfig) -> None:
    refuse_reference(str(config.paths.root), "paths.root")  # Hydra writes there, before we compose
    chosen = config.hydra.runtime.choices
    sweeper = chosen["hydra/sweeper"]
    if config.objective is None and sweeper in OPTIMIZERS:
        raise UserError(
            f"hydra/sweeper={sweeper}: objective=STAGE/METRIC is needed, as "
            "objective=tokenizer/val/mpjpe_mm"
        )
    if chosen.launcher != "debug" and chosen["hydra/launcher"] != OURS:
        raise UserError(
            f"launcher={chosen.launcher}: hydra/launcher={chosen['hydra/launcher']} says where "
            "experiments run; leave one of the two away"
        )
