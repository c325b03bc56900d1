"""What a training step amounts to, in numbers that the host knows without asking the device."""

from typing import NamedTuple

FORWARD_AND_BACKWARD = 3
"""Of a forward's operations: the backward needs as many again for the inputs and the weights."""


class Work(NamedTuple):
    """One process's share of one step.

    Attributes:
        clips: rows of the batch.
        tokens: of text and motion, padding left out.
        places: the same with padding.
        flops: floating-point operations that the model needs for `tokens`, forward and backward.
    """

    clips: int
    tokens: int
    places: int
    flops: float

    def plus(self, other: "Work") -> "Work":
        """The sum of both."""
        return Work(
            self.clips + other.clips,
            self.tokens + other.tokens,
            self.places + other.places,
            self.flops + other.flops,
        )


NOTHING = Work(0, 0, 0, 0.0)
