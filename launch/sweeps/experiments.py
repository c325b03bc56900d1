"""From the overrides of experiments to what is carried out: the plan, and the sweep's record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from omegaconf import DictConfig

from launch.plans.graph import Planned, union
from launch.plans.planning import plan_sweep
from launch.sweeps.record import Sweep, make_sweep
from launch.sweeps.reused import made_again


@dataclass(frozen=True)
class Experiments:
    """Experiments that are planned and not yet carried out.

    Attributes:
        sweep: their record, not yet written.
        plans: the stages of each.
        plan: all stages, each once, parents before children.
    """

    sweep: Sweep
    plans: list[list[Planned]]
    plan: list[Planned]

    @property
    def config(self) -> DictConfig:
        """Of the first of them; names what is common to all, as the launcher."""
        return self.plans[0][0].config


def plan_experiments(
    points: Sequence[Sequence[str]],
    words: Sequence[str],
    prepare: bool = True,
    again: Sequence[str] = (),
    table: Mapping[str, Any] | None = None,
) -> Experiments:
    """Plan these experiments.

    Args:
        points: overrides of each.
        words: of the command line that makes them, after `motiongpt`.
        prepare: data that is absent; without, nothing is written.
        again: stages to make anew, with what follows from them.
        table: published table that is filled at the end.

    Raises:
        UserError: an override that means nothing, data that can't be had, `again` names no stage.
    """
    plans = plan_sweep(points, prepare)
    plan = made_again(union(plans), again)
    sweep = make_sweep(plans[0][0].config.paths.root, words, points, plans, table)
    return Experiments(sweep, plans, plan)
