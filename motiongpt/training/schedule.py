"""How long a stage trains, and in what portions."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from motiongpt.errors import UserError

PRECISIONS = ("32-true", "bf16-mixed", "16-mixed", "bf16-true", "16-true", "64-true")
"""Lightning's names."""
AT_LEAST_ONE = ("steps", "batch_size", "validate_every", "checkpoint_every", "bucket")


@dataclass(frozen=True)
class Schedule:
    """How long and in what portions a stage trains.

    Attributes:
        steps: optimiser steps.
        batch_size: clips a step over all processes; the per-process share is derived. The
            learning rate belongs to it and is never scaled.
        validate_every: steps between validations.
        checkpoint_every: steps between checkpoints; does not change the result.
        precision: one of `PRECISIONS`.
        gradient_clip: largest gradient norm, or None.
        shuffle: False keeps the order of the data set, as released (B2 of the audit).
        bucket: batches whose clips are sorted by length among each other, to need less padding;
            1 leaves the batches as they were drawn. The language stages have it.

    Raises:
        UserError: a number that nothing can be trained with.
    """

    steps: int
    batch_size: int
    validate_every: int = 500
    checkpoint_every: int = 100
    precision: str = "32-true"
    gradient_clip: float | None = None
    shuffle: bool = True
    bucket: int = 1

    def __post_init__(self) -> None:
        for name in AT_LEAST_ONE:
            value = getattr(self, name)
            if not isinstance(value, int) or value < 1:
                raise UserError(f"schedule.{name} is {value}; a whole number from 1 on is needed")
        if self.precision not in PRECISIONS:
            raise UserError(
                f"precision is {self.precision}; valid: {', '.join(PRECISIONS)} (trainer.precision)"
            )
        if self.gradient_clip is not None and not self.gradient_clip > 0:
            raise UserError(f"schedule.gradient_clip is {self.gradient_clip}; above 0, or null")

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Schedule":
        """The schedule that a stage's yaml says.

        Raises:
            UserError: an option that there is not, one that is missing, a number that won't do.
        """
        known = [field.name for field in fields(cls)]
        unknown = [str(name) for name in values if name not in known]
        if unknown:
            raise UserError(f"schedule.{unknown[0]}: no such option; valid: {', '.join(known)}")
        missing = [name for name in ("steps", "batch_size") if name not in values]
        if missing:
            raise UserError(f"schedule.{missing[0]} is missing")
        return cls(**values)


def share_of_batch(stage: str, batch: int, world: int) -> int:
    """Clips a step of each of `world` processes, out of the `batch` clips of all.

    Raises:
        UserError: it can't be shared evenly; names the nearest sizes that can.
    """
    if batch < 1 or batch % world:
        lower = batch // world * world
        nearest = [str(size) for size in (lower, lower + world) if size > 0]
        raise UserError(
            f"stage.{stage}.schedule.batch_size={batch} can't be shared by {world} processes; "
            f"the nearest that can: {' and '.join(nearest)}"
        )
    return batch // world
