"""What a number of a metric is, and how many clips it is of; tables read these alone."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

Better = Literal["lower", "higher", "real"]
"""Which value of a number is better; "real": the one nearest to that of real motion."""
Judge = Literal["evaluator", "captions", "classifier", "none"]
"""What a number depends on besides the motions: the embedding network, the true captions as they
were prepared, the classifier of actions, or nothing."""


@dataclass(frozen=True)
class Number:
    """One number of a metric: its unit ("m", "mm", "m/s", "%" or empty) and which way is better."""

    unit: str = ""
    better: Better = "lower"


class Size(NamedTuple):
    """How many clips a set of outputs has, and how many outputs each of them."""

    clips: int
    samples: int = 1
