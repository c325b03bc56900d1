"""How long the stages of a plan will take, judged by runs that there have been."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from launch.jobs.resources import Resources
from launch.plans.graph import Planned
from launch.runs.ledger import Run, all_runs


@dataclass(frozen=True)
class Estimate:
    """Hours of one stage.

    Attributes:
        hours: expected; None where no run tells.
        limit: at which its job is stopped (and started again); None without a limit.
    """

    hours: float | None
    limit: float | None


class Experience:
    """What the runs below `root` tell of each stage."""

    def __init__(self, root: Path) -> None:
        self._rates: dict[str, list[float]] = {}
        self._hours: dict[str, list[float]] = {}
        for run in all_runs(root):
            self._learn(run)

    def _learn(self, run: Run) -> None:
        rate = run.progress.get("steps_per_second", 0.0)
        if rate:
            self._rates.setdefault(run.stage, []).append(float(rate))
        status = run.status
        times = status.keys() >= {"started", "finished"}
        if times and run.is_finished and not status.get("attempts"):
            seconds = float(status["finished"]) - float(status["started"])
            self._hours.setdefault(run.stage, []).append(seconds / 3600)

    def of(self, stage: Planned, resources: Resources) -> Estimate:
        """By the steps left and the usual rate; without steps, by how long such stages took."""
        name = stage.run.stage
        limit = None if resources.minutes is None else resources.minutes / 60
        steps = stage.settings.get("schedule", {}).get("steps")
        if steps and name in self._rates:
            left = steps - stage.run.progress.get("step", 0)
            return Estimate(left / median(self._rates[name]) / 3600, limit)
        if not steps and name in self._hours:
            return Estimate(median(self._hours[name]), limit)
        return Estimate(None, limit)


def cost_lines(stages: Sequence[tuple[Planned, Resources]], experience: Experience) -> list[str]:
    """GPU hours, or CPU hours where no GPU is asked for: expected, and at most for one start."""
    lines = []
    for unit, share in (("GPU", _gpus), ("CPU", _cpus)):
        members = [(stage, one) for stage, one in stages if share(one)]
        if not members:
            continue
        found = [(experience.of(stage, one), share(one)) for stage, one in members]
        known = [(one.hours, count) for one, count in found if one.hours is not None]
        expected = _total((hours, count) for hours, count in known)
        limits = [(one.limit, count) for one, count in found if one.limit is not None]
        unknown = len(found) - len(known)
        said = f"{expected:.3g} {unit} hours expected" if known else f"{unit} hours not known"
        if unknown:
            said += f" ({unknown} of {len(found)} jobs have no earlier run to go by)"
        if len(limits) == len(found):
            said += f", {_total(limits):.3g} if every job runs to its time limit"
        lines.append(said)
    return lines


def _total(parts: Iterable[tuple[float, int]]) -> float:
    return sum(hours * count for hours, count in parts)


def _gpus(resources: Resources) -> int:
    return resources.nodes * resources.gpus


def _cpus(resources: Resources) -> int:
    return 0 if resources.gpus else resources.world * resources.cpus
