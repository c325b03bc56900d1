"""What a training step amounts to, in numbers that the host knows without asking the device."""

from typing import NamedTuple

FORWARD_AND_BACKWARD = 3
"""Of a forward's operations: the backward needs as many again for the inputs and the weights."""


class StepCost(NamedTuple):
    """One process's share of one step.

    Attributes:
        clips: rows of the batch.
        tokens: of text and motion, padding left out.
        positions: of tokens, padding counted too.
        flops: floating-point operations that the model needs for `tokens`, forward and backward.
    """

    clips: int
    tokens: int
    positions: int
    flops: float

    def plus(self, other: "StepCost") -> "StepCost":
        """The sum of both."""
        return StepCost(
            self.clips + other.clips,
            self.tokens + other.tokens,
            self.positions + other.positions,
            self.flops + other.flops,
        )


NOTHING = StepCost(0, 0, 0, 0.0)
