"""A number that a part measures, and the limit that it is judged by."""

from dataclasses import dataclass

from tests.benchmarks.speed.part import Settings


@dataclass(frozen=True)
class Number:
    """One line of the table.

    Attributes:
        name: what was measured.
        value: in `unit`.
        unit: "" for a ratio or a relative difference.
        limit: that the value may reach; None of a number that is only told.
        at_least: the value must reach the limit; otherwise it may not pass it.
        judged: False shows the limit and judges nothing: a ratio of speeds on a machine or size
            that it was not asked of.
    """

    name: str
    value: float
    unit: str = ""
    limit: float | None = None
    at_least: bool = False
    judged: bool = True

    @property
    def passed(self) -> bool | None:
        """Whether the limit is kept (NaN keeps none); None where nothing is judged."""
        if self.limit is None or not self.judged:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit


def at_most(name: str, value: float, limit: float) -> Number:
    """A difference, judged everywhere."""
    return Number(name, float(value), limit=limit)


def ratio(name: str, value: float, limit: float, settings: Settings) -> Number:
    """A ratio of speeds, at least `limit`; judged on a GPU, of models of real size."""
    judged = settings.device == "cuda" and settings.size == "base"
    return Number(name, float(value), limit=limit, at_least=True, judged=judged)


def told(name: str, value: float, unit: str) -> Number:
    """A number without a limit."""
    return Number(name, float(value), unit)
