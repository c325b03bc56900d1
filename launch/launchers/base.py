"""What every launcher is, and what it is given."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from launch.plans.graph import Planned
from launch.sweeps.record import Sweep


@dataclass(frozen=True)
class Work:
    """What a launcher is to do.

    Attributes:
        sweep: the experiments that are wanted.
        plan: all their stages, each once, parents before children.
    """

    sweep: Sweep
    plan: Sequence[Planned]

    @property
    def root(self) -> Path:
        """Where the runs lie."""
        return self.sweep.root

    @property
    def unfinished(self) -> list[Planned]:
        """Stages that have no result yet."""
        return [stage for stage in self.plan if not stage.finished]


class Launcher(Protocol):
    """Runs the unfinished stages of a plan somewhere; built by Hydra from conf/launcher."""

    def describe(self, work: Work) -> str:
        """The plan as a person wants to see it: jobs, what they wait for, what they cost.

        Raises:
            UserError: resources that can't be had, as far as that is known without asking.
        """
        ...

    def launch(self, work: Work, wait: bool) -> bool:
        """Run, or hand over, what is unfinished.

        Args:
            wait: return only when all jobs have ended.

        Returns:
            Whether all of it has ended, so that the sweep can be reported now.

        Raises:
            UserError: it can't be run there; nothing was left half-submitted.
        """
        ...
