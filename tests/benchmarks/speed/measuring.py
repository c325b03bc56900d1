"""Timing a part: its sides take turns, each in a process of its own."""

import statistics
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.benchmarks.speed.part import ORIGINAL, Check, Findings, Settings
from tests.benchmarks.speed.parts import part_named
from tests.benchmarks.speed.process import Failed, Process

Log = Callable[[str], None]


@dataclass
class SideResult:
    """What was measured of one side.

    Attributes:
        seconds: of each timed run, in order.
        memory: most bytes its process held (on a GPU: most bytes allocated there); of a part with
            fresh processes, beyond interpreter and libraries.
        check: whether it did what the original's did; None of the original's.
        problem: why there are fewer runs than asked for, or none.
    """

    seconds: list[float] = field(default_factory=list)
    memory: int | None = None
    check: Check | None = None
    problem: str | None = None

    @property
    def median(self) -> float | None:
        """Seconds; None without a timed run."""
        return statistics.median(self.seconds) if self.seconds else None


@dataclass
class PartResult:
    """What was measured of a part on a device; `sides` has the original's way first."""

    name: str
    device: str
    sides: dict[str, SideResult]

    def ratio(self, side: str) -> float | None:
        """How many times as fast as the original's way: the ratio of the medians."""
        own, other = self.sides[side].median, self.sides[ORIGINAL].median
        return None if side == ORIGINAL or own is None or other is None else other / own

    def memory_share(self, side: str) -> float | None:
        """Memory as a share of what the original's way takes."""
        own, other = self.sides[side].memory, self.sides[ORIGINAL].memory
        return None if side == ORIGINAL or own is None or not other else own / other


class Measurement:
    """One part on one device.

    `result` holds at every moment what has been measured so far, also when `measure` was
    interrupted.

    Args:
        name: of the part.
        settings: of the run.
        repeats: timed runs of each side; None for the part's own.
        logs: folder for what the processes print.
        log: takes a line.
    """

    def __init__(
        self, name: str, settings: Settings, repeats: int | None, logs: Path, log: Log
    ) -> None:
        self.name, self.settings, self.logs, self.log = name, settings, logs, log
        self.part = part_named(name, settings)
        self.repeats = repeats or self.part.repeats
        sides = {side.name: SideResult() for side in self.part.sides}
        self.result = PartResult(name, settings.device, sides)
        self._found: dict[str, Findings] = {}

    def measure(self) -> None:
        """Fill `result`; what goes wrong with a side is noted there and stops only that side."""
        self.log(f"{self.name} on {self.settings.device}: {self.part.workload()}")
        with TemporaryDirectory(prefix="motiongpt-benchmark-") as name, ExitStack() as stack:
            folder = Path(name)
            self.part.make_files(folder)
            kept: dict[str, Process] = {}
            for turn in range(self.part.warm_up + self.repeats):
                for side in self._working():
                    if self.part.fresh_process:
                        with self._process(side, folder) as process:
                            self._one_run(side, process, turn, begin=True)
                        continue
                    if begin := side not in kept:
                        kept[side] = stack.enter_context(self._process(side, folder))
                    self._one_run(side, kept[side], turn, begin)
        self._compare()

    def _working(self) -> list[str]:
        return [side for side, result in self.result.sides.items() if result.problem is None]

    def _process(self, side: str, folder: Path) -> Process:
        log = self.logs / f"{self.name}-{self.settings.device}-{side.replace(' ', '-')}.log"
        return Process(self.name, side, folder, self.settings, log)

    def _one_run(self, side: str, process: Process, turn: int, begin: bool) -> None:
        result, number = self.result.sides[side], turn + 1 - self.part.warm_up
        try:
            if begin:
                process.ask("build")
            measured = process.ask("run")
            if number == self.repeats:
                self._found[side] = process.ask("findings")
        except Failed as error:
            result.problem = str(error)
            self.log(f"  {side}: {error}")
            return
        grown = measured["start_bytes"] if self.part.fresh_process else 0
        result.memory = measured["peak_bytes"] - grown
        if number > 0:
            result.seconds.append(measured["seconds"])
        which = f"{number} of {self.repeats}" if number > 0 else "warm-up"
        self.log(f"  {side:<18} {which:<9} {measured['seconds']:9.3f} s")

    def _compare(self) -> None:
        for side, found in self._found.items():
            if side != ORIGINAL and ORIGINAL in self._found:
                dtype = self.part.side(side).dtype
                check = self.part.compare(self._found[ORIGINAL], found, dtype)
                self.result.sides[side].check = check
                self.log(f"  {'same' if check.passed else 'NOT THE SAME'}: {side}: {check.text}")
