"""What was measured: seconds and memory of each side, ratios, and the distance to the limit."""

import statistics
from dataclasses import asdict, dataclass, field
from typing import Any

from evaluation.speed.limits import Limits
from evaluation.speed.part import ORIGINAL, Check, Goal, Needs, Side

GOALS_AT = "base"
DISTURBED = 0.25  # cores; other programs of a machine at rest take far less


@dataclass
class SideResult:
    """What was measured of one side.

    Attributes:
        side: what it is.
        seconds: of each timed run, in order.
        others: cores that other programs kept busy meanwhile, of each timed run.
        peak_bytes: most memory its process ever held (on a GPU: most memory allocated there).
        start_bytes: what the process held before it built anything: interpreter and libraries.
        measures: see `Part.measures`.
        problem: why there are fewer runs than asked for, or none.
    """

    side: Side
    seconds: list[float] = field(default_factory=list)
    others: list[float] = field(default_factory=list)
    peak_bytes: int | None = None
    start_bytes: int | None = None
    measures: dict[str, float] = field(default_factory=dict)
    problem: str | None = None

    @property
    def median(self) -> float | None:
        """Seconds; None without a timed run."""
        return statistics.median(self.seconds) if self.seconds else None

    @property
    def disturbed(self) -> bool:
        """Whether other programs took so much that the times say little."""
        return bool(self.others) and statistics.median(self.others) > DISTURBED

    @property
    def work_bytes(self) -> int | None:
        """Most memory beyond what the process began with."""
        if self.peak_bytes is None or self.start_bytes is None:
            return None
        return self.peak_bytes - self.start_bytes


@dataclass
class PartResult:
    """What was measured of a part on a device.

    Attributes:
        name: of the part; its module.
        title, workload, unit: see `Part`.
        device: "cpu" or "cuda".
        size: of the models.
        growth: whether memory is that beyond what a process began with.
        needs: of one run.
        sides: in the part's order, the original's way first.
        checks: whether the sides did the same work.
    """

    name: str
    title: str
    workload: str
    unit: str
    device: str
    size: str
    growth: bool
    needs: Needs
    sides: list[SideResult]
    checks: list[Check] = field(default_factory=list)

    @property
    def original(self) -> SideResult:
        """The side that the others are compared with."""
        return next(one for one in self.sides if one.side.name == ORIGINAL)

    def ratio(self, one: SideResult) -> float | None:
        """How many times as fast as the original's way: the ratio of the medians."""
        if one is self.original or one.median is None or self.original.median is None:
            return None
        return self.original.median / one.median

    def ratio_range(self, one: SideResult) -> tuple[float, float] | None:
        """Smallest and largest ratio of runs that were made one after the other."""
        pairs = list(zip(self.original.seconds, one.seconds, strict=False))
        if one is self.original or not pairs:
            return None
        ratios = [first / second for first, second in pairs]
        return min(ratios), max(ratios)

    def memory(self, one: SideResult) -> int | None:
        """Bytes that the table shows for a side."""
        return one.work_bytes if self.growth else one.peak_bytes

    def memory_share(self, one: SideResult) -> float | None:
        """Memory as a share of what the original's way takes."""
        own, other = self.memory(one), self.memory(self.original)
        return None if one is self.original or not own or not other else own / other

    def rate(self, one: SideResult) -> float | None:
        """Units of useful work a second."""
        return None if one.median is None else self.needs.units / one.median

    def limit_seconds(self, one: SideResult, limits: Limits) -> float | None:
        """The shortest time in which the machine could do the work in the side's numbers."""
        return limits.seconds(self.needs, one.side.dtype)

    def goal(self, one: SideResult) -> Goal | None:
        """What this side is to reach on this device; none but at size base."""
        return one.side.goal.get(self.device) if self.size == GOALS_AT else None

    def verdicts(self, one: SideResult) -> dict[str, bool]:
        """Each part of its goal, and whether it is reached; empty without a goal."""
        goal = self.goal(one)
        if goal is None:
            return {}
        return goal.verdicts(self.ratio(one), self.memory_share(one), one.median, self.memory(one))

    def as_json(self, limits: Limits) -> dict[str, Any]:
        """Everything that was measured, and what follows from it."""
        return {
            "part": self.name,
            "title": self.title,
            "workload": self.workload,
            "device": self.device,
            "unit": self.unit,
            "needs": asdict(self.needs),
            "sides": [self._side_as_json(one, limits) for one in self.sides],
            "checks": [asdict(check) for check in self.checks],
        }

    def _side_as_json(self, one: SideResult, limits: Limits) -> dict[str, Any]:
        limit = self.limit_seconds(one, limits)
        return {
            "side": one.side.name,
            "dtype": one.side.dtype,
            "text": one.side.text,
            "seconds": one.seconds,
            "others": one.others,
            "median": one.median,
            "ratio": self.ratio(one),
            "ratio_range": self.ratio_range(one),
            "goal": self.verdicts(one),
            "units_per_second": self.rate(one),
            "limit_seconds": limit,
            "share_of_limit": limit / one.median if limit and one.median else None,
            "peak_bytes": one.peak_bytes,
            "start_bytes": one.start_bytes,
            "memory_share": self.memory_share(one),
            "measures": one.measures,
            "problem": one.problem,
        }
