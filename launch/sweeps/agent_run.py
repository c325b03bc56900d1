"""The run that a `wandb agent` gave: it gets what the experiment came to, and no stage gets in it.

An agent starts `motiongpt run` with the ids of its sweep and of one run in the environment, and
looks in that run for the metric that it searches by. An experiment is many W&B runs, one a stage,
and a stage that several experiments share belongs to none of them; with these variables W&B would
put all of them into the agent's run, whatever id they ask for.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from evaluation.replications.results import MODEL
from launch.composition.seeds import SEED
from launch.loggers.naming import logged_settings, overrides_alike, read_value, run_id
from launch.loggers.wandb_mode import wandb_mode
from launch.loggers.wandb_rows import RowsFile, read_part
from launch.plans.graph import Planned
from launch.sweeps.differences import axes_of
from launch.sweeps.record import Sweep
from launch.sweeps.wandb_runs import UnsentRun, send
from motiongpt.errors import UserError

SWEEP_ID, RUN_ID, PARAMETERS = "WANDB_SWEEP_ID", "WANDB_RUN_ID", "WANDB_SWEEP_PARAM_PATH"
"""What an agent sets for the command that it starts, and W&B reads wherever it is used."""
TIMEOUT_SECONDS = 600.0
OWN_ROW = f"/{MODEL}/"
"""In a metric of `evaluate`, between the task and the name: the method's own outputs."""


@dataclass(frozen=True)
class AgentRun:
    """A run that an agent waits for.

    Attributes:
        sweep_id, run_id: W&B's.
        place: project and entity, as far as the agent says.
    """

    sweep_id: str
    run_id: str
    place: Mapping[str, str]


def is_under_agent() -> bool:
    """Whether a `wandb agent` started this command."""
    return bool(os.environ.get(SWEEP_ID) and os.environ.get(RUN_ID))


def take_agent_run() -> AgentRun | None:
    """The agent's run, if there is one; its variables are gone then, for this and all processes
    that it starts."""
    if not is_under_agent():
        return None
    variables = {"project": "WANDB_PROJECT", "entity": "WANDB_ENTITY"}
    place = {name: os.environ[key] for name, key in variables.items() if os.environ.get(key)}
    os.environ.pop(PARAMETERS, None)
    return AgentRun(os.environ.pop(SWEEP_ID), os.environ.pop(RUN_ID), place)


def check_is_one_experiment(sweep: Sweep) -> None:
    """Return if one number of a kind comes out: one experiment, or training seeds of it.

    Raises:
        UserError: several experiments.
    """
    if others := [axis for axis in axes_of(sweep.points) if axis != SEED]:
        raise UserError(
            f"{', '.join(others)}: a run of `wandb agent` is one experiment, or its training seeds "
            "(seeds=3); let the agent's sweep list the values"
        )


def tell_agent_run(
    agent: AgentRun, sweep: Sweep, plans: Iterable[Sequence[Planned]], failed: bool
) -> None:
    """Log to the agent's run the goals' metrics, over training seeds their means, and what was
    swept; with WANDB_MODE=offline, and where no server answers, `motiongpt sync` does it later.

    Args:
        plans: of the experiment, for each training seed.
        failed: whether one of them has no result; the agent's run counts as failed then.
    """
    mode = wandb_mode("online")
    if mode == "disabled":
        return
    facts = {"id": agent.run_id, "resume": "allow", **agent.place}
    rows = RowsFile(sweep.folder, {**facts, "settings": {"sweep_id": agent.sweep_id}})
    goals = [_goals(sweep, plan) for plan in plans]
    rows.config(_settings([goal for some in goals for goal in some]))
    if not failed:
        rows.row(_means([_results(some) for some in goals]), None)
    rows.end("failed" if failed else "success")
    if mode == "online":
        _send(agent, rows.path)


def _send(agent: AgentRun, file: Path) -> None:
    part = read_part(file)
    assert part is not None, "written above"
    if said := send(UnsentRun(agent.run_id, (part,)), TIMEOUT_SECONDS):
        print(f"W&B: the agent's run {agent.run_id}: {said}; `motiongpt sync` uploads it")


def _goals(sweep: Sweep, plan: Sequence[Planned]) -> list[Planned]:
    wanted = {signature for point in sweep.points for _, signature in point.goals}
    return [stage for stage in plan if stage.run.signature in wanted]


def _settings(goals: Sequence[Planned]) -> dict[str, Any]:
    """As of the goal's own run, and the swept values also under the names that the agent knows."""
    alike = overrides_alike([point for goal in goals for point in goal.needed_for])
    swept = {key: read_value(value) for key, value in alike.items()}
    first = logged_settings(goals[0])
    return {**first, **swept, "stage_runs": [run_id(goal.run) for goal in goals]}


def _results(goals: Sequence[Planned]) -> dict[str, float]:
    return {flat_name(name): value for goal in goals for name, value in goal.run.metrics.items()}


def flat_name(metric: str) -> str:
    """A metric of a run as its loggers have it: of an evaluation's own row without the row."""
    return metric.replace(OWN_ROW, "/")


def _means(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Of what all have."""
    names = [name for name in found[0] if all(name in one for one in found)]
    return {name: fmean(one[name] for one in found) for name in names}
