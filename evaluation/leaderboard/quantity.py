"""A number with its uncertainty, as printed in a paper or as measured here."""

from dataclasses import dataclass
from typing import Any

from motiongpt.errors import UserError

# Factor from the first unit to the second; numbers of other pairs can't be put side by side.
FACTORS = {("m", "mm"): 1000.0, ("mm", "m"): 0.001, ("", "%"): 100.0, ("%", ""): 0.01}


@dataclass(frozen=True)
class Quantity:
    """A value and the half width of its 95 % interval, in the unit of its column.

    Attributes:
        interval: None where none is known.
        decimals: digits behind the point that were printed, for published numbers; None for ours.
        interval_decimals: the same of the interval.
    """

    value: float
    interval: float | None = None
    decimals: int | None = None
    interval_decimals: int | None = None

    @property
    def reach(self) -> float:
        """How far from `value` the true number may lie.

        The interval; where a paper prints none, half a unit of its last printed digit, which is
        what rounding hides (0.160 stands for 0.1595 to 0.1605); 0 for a number of ours without
        replications.
        """
        if self.interval is not None:
            return self.interval
        return 0.5 * 10.0**-self.decimals if self.decimals is not None else 0.0

    def overlaps(self, other: "Quantity") -> bool:
        """Whether the two intervals share a point; rounding of floats aside."""
        reach = self.reach + other.reach
        return abs(self.value - other.value) <= reach * (1 + 1e-9) + 1e-12

    def text(self, decimals: int) -> str:
        """`0.160 ± 0.008`; a published number keeps its own digits."""
        digits = decimals if self.decimals is None else self.decimals
        said = f"{self.value:.{digits}f}"
        if self.interval is None:
            return said
        behind = digits if self.interval_decimals is None else self.interval_decimals
        return f"{said} ± {self.interval:.{behind}f}"


def converted(value: float, unit: str, wanted: str) -> float | None:
    """`value` of `unit` in the unit `wanted`, or None where there is no factor between them."""
    if unit == wanted:
        return value
    factor = FACTORS.get((unit, wanted))
    return None if factor is None else value * factor


def printed_quantity(found: Any, where: str) -> Quantity:
    """A number as a paper prints it: `"0.160"`, or `["0.160", "0.008"]` with its interval.

    Raises:
        UserError: no number; `where` says which file and key.
    """
    words = found if isinstance(found, list) else [found]
    try:
        value, *rest = (float(word) for word in words)
        (interval,) = rest or (None,)
    except (TypeError, ValueError) as error:
        raise UserError(f"{where}: {found!r} is no number; write 0.1 or [0.1, 0.01]") from error
    decimals = [len(str(word).partition(".")[2]) for word in words]
    return Quantity(value, interval, *decimals)
