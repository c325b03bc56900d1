"""What a metric is: a number for a method's answers to the cases of one task."""

from collections.abc import Sequence
from typing import Protocol

from evaluation.case import Case, Scorers


class Metric(Protocol):
    """One number over the cases of a task; built by Hydra from one yaml of `conf/metrics`.

    Attributes:
        unit: "m", "mm", "%" or empty.
        lower_is_better: which way is better.
    """

    unit: str
    lower_is_better: bool

    def __call__(self, cases: Sequence[Case], scorers: Scorers) -> float:
        """The metric of all cases together, NaN where it has no meaning."""
        ...
