"""What a stage's job is given, and what that makes of the stage's hardware."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from hydra.utils import get_class

from launch.plans.graph import Planned
from motiongpt.errors import UserError
from motiongpt.training.schedule import share_of_batch


@dataclass(frozen=True)
class Resources:
    """Of one job.

    Attributes:
        nodes: that it runs on.
        gpus: of each node.
        processes: of each node; None means one for each GPU, or one without GPUs.
        cpus: of each process.
        memory_gb: of each node.
        minutes: after which it is stopped, and started again from its last checkpoint; None for
            no limit.
    """

    nodes: int = 1
    gpus: int = 0
    processes: int | None = None
    cpus: int = 1
    memory_gb: float = 4.0
    minutes: int | None = 60

    @property
    def per_node(self) -> int:
        """Processes of one node."""
        return self.processes or max(1, self.gpus)

    @property
    def world(self) -> int:
        """All processes."""
        return self.nodes * self.per_node

    def __str__(self) -> str:
        gpus = f" x {self.gpus} GPU" if self.gpus else ""
        return f"{self.nodes} node{gpus}, {self.world} x {self.cpus} CPU, {self.memory_gb:g} GB"


def resources_for(
    stage: Planned, base: Mapping[str, Any], by_stage: Mapping[str, Mapping[str, Any]]
) -> Resources:
    """What `stage` gets: `base`, with what `by_stage` says of it.

    A stage that can't use several processes gets one, and at most one GPU.

    Raises:
        UserError: a key that is no resource, or a global batch that can't be shared.
    """
    name = stage.run.stage
    wanted = {**base, **by_stage.get(name, {})}
    valid = [field.name for field in fields(Resources)]
    for key in wanted:
        if key not in valid:
            raise UserError(
                f"launcher.resources: {key}: no such resource; valid: {', '.join(valid)}"
            )
    resources = Resources(**wanted)
    if not getattr(get_class(str(stage.settings["_target_"])), "distributed", False):
        return replace(resources, nodes=1, processes=1, gpus=min(resources.gpus, 1))
    batch = stage.settings.get("schedule", {}).get("batch_size")
    if batch is not None:
        share_of_batch(name, batch, resources.world)
    return resources


def with_resources(stage: Planned, resources: Resources) -> Planned:
    """`stage` as it runs with `resources`; its signature does not depend on them."""
    hardware = {
        **stage.settings.get("hardware", {}),
        "devices": resources.per_node,
        "num_nodes": resources.nodes,
    }
    if not resources.gpus:
        hardware["accelerator"] = "cpu"
    return replace(stage, settings={**stage.settings, "hardware": hardware})
