"""Which stages become one job array, and in which order arrays are submitted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from launch.jobs.resources import Resources
from launch.plans.graph import Planned

Key = tuple[str, Resources, int]


@dataclass(frozen=True)
class Batch:
    """Stages that differ only in their parameters: one SLURM job array, or one job.

    Attributes:
        stage: their name.
        resources: of each.
        stages: the elements, in order.
    """

    stage: str
    resources: Resources
    stages: Sequence[Planned]

    def waits_for(self) -> list[str]:
        """Names of the stages that its elements build on and that are not finished."""
        names = (
            name
            for stage in self.stages
            for name, run in stage.parents.items()
            if not run.is_finished
        )
        return list(dict.fromkeys(names))


def batches_of(
    stages: Sequence[Planned], resources: Mapping[str, Resources], largest: int
) -> list[Batch]:
    """Group stages of one name and one kind of resources.

    Args:
        stages: parents before children.
        resources: by signature.
        largest: elements that one array may have.

    Returns:
        Batches in which whatever an element waits for is in an earlier one.
    """
    same = {stage.run.signature: 0 for stage in stages}
    try:
        groups = _ordered(stages, resources, same)
    except CycleError:  # experiments of one sweep whose stages build on each other differently
        groups = _ordered(stages, resources, _depths(stages))
    return [
        Batch(name, given, members[first : first + largest])
        for (name, given, _), members in groups
        for first in range(0, len(members), largest)
    ]


def _ordered(
    stages: Sequence[Planned], resources: Mapping[str, Resources], level: Mapping[str, int]
) -> list[tuple[Key, list[Planned]]]:
    keys: dict[str, Key] = {
        stage.run.signature: (
            stage.run.stage,
            resources[stage.run.signature],
            level[stage.run.signature],
        )
        for stage in stages
    }
    groups: dict[Key, list[Planned]] = {}
    edges: dict[Key, set[Key]] = {}
    for stage in stages:
        key = keys[stage.run.signature]
        groups.setdefault(key, []).append(stage)
        above = {keys[run.signature] for run in stage.parents.values() if run.signature in keys}
        edges.setdefault(key, set()).update(above)
    return [(key, groups[key]) for key in TopologicalSorter(edges).static_order()]


def _depths(stages: Sequence[Planned]) -> dict[str, int]:
    depth: dict[str, int] = {}
    for stage in stages:
        above = [depth[run.signature] for run in stage.parents.values() if run.signature in depth]
        depth[stage.run.signature] = 1 + max(above, default=-1)
    return depth
