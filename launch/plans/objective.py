"""The number that an experiment is judged by: a metric of one of its stages."""

from collections.abc import Sequence

from launch.plans.graph import Planned
from launch.runs.ledger import Run
from motiongpt.errors import UserError


def objective_run(plan: Sequence[Planned], objective: str | None) -> Run | None:
    """The run that `objective`, STAGE/METRIC, is a metric of; None without an objective.

    Raises:
        UserError: the plan has no such stage.
    """
    if objective is None:
        return None
    name = str(objective).partition("/")[0]
    runs = {stage.run.stage: stage.run for stage in plan}
    if name not in runs:
        raise UserError(
            f"objective={objective}: STAGE/METRIC is needed and {name} is no stage of this "
            f"experiment; valid: {', '.join(runs)}"
        )
    return runs[name]


def objective_value(run: Run, objective: str) -> float:
    """The metric of a finished run.

    Raises:
        UserError: it has no such metric.
    """
    metric = str(objective).partition("/")[2]
    if metric not in run.metrics:
        raise UserError(
            f"objective={objective}: {run.stage} {run.signature} has no such metric; valid: "
            f"{', '.join(f'{run.stage}/{name}' for name in run.metrics) or 'none'}"
        )
    return float(run.metrics[metric])
