"""What the models of a sweep cost: minutes of training, and parameters."""

from dataclasses import dataclass
from math import prod
from typing import ClassVar

from safetensors import SafetensorError, safe_open

from launch.runs.ledger import Run
from launch.sweeps.record import Sweep

MODEL = "model"
"""Folder that a stage leaves its part of the model in; judges leave theirs elsewhere."""


@dataclass(frozen=True)
class Cost:
    """Of all trained parts of one model.

    Attributes:
        minutes: from the beginning of each part's last attempt to its end, summed.
        parameters: numbers in its weights, in millions; buffers are among them.
    """

    minutes: float
    parameters: float

    QUANTITIES: ClassVar[dict[str, str]] = {
        "minutes": "minutes of training",
        "parameters": "parameters (million)",
    }


def cost_of(sweep: Sweep, signature: str) -> Cost | None:
    """Cost of the model that a finished goal is of; None where no part of it is there,
    or one is damaged.

    A part that two experiments share counts in both.
    """
    point = next(one for one in sweep.points if signature in {goal[1] for goal in one.goals})
    runs = [Run(sweep.root, *names) for names in point.stages]
    parts = [run for run in runs if run.is_finished and (run.folder / MODEL).is_dir()]
    if not parts:
        return None
    try:
        parameters = sum(map(_parameters, parts))
    except (SafetensorError, OSError):
        return None  # damaged weights cost nothing that can be told; the plan names them
    seconds = [float(run.status["finished"]) - float(run.status["started"]) for run in parts]
    return Cost(sum(seconds) / 60, parameters / 1e6)


def _parameters(run: Run) -> int:
    total = 0
    for file in sorted((run.folder / MODEL).rglob("*.safetensors")):
        with safe_open(file, "numpy") as tensors:
            names = list(tensors.keys())
            total += sum(prod(tensors.get_slice(name).get_shape()) for name in names)
    return total
