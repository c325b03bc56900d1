"""Timing a part: its sides take turns, each in a process of its own."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from evaluation.speed.catalogue import part_named
from evaluation.speed.limits import Limits
from evaluation.speed.part import Check, Part, Repeats, Settings
from evaluation.speed.results import PartResult, SideResult
from evaluation.speed.worker import Failed, OutOfTime, Worker

Say = Callable[[str], None]


def limits_of(settings: Settings, folder: Path, any_part: str) -> Limits:
    """The limits of a device, measured in a process of its own with as many threads."""
    log = folder / "limits.log"
    with Worker(any_part, "", folder, settings, log, time.monotonic() + 600) as worker:
        return Limits(**worker.ask("limits"))


class Measurement:
    """One part on one device.

    `result` holds at every moment what has been measured so far, also when `measure` was
    interrupted.

    Args:
        name: of the part.
        settings: of the run.
        repeats: None for the part's own.
        folder: for the part's files, which are many and large.
        logs: folder for what the processes print.
        timeout: seconds for all of the part; None for as long as it takes.
        say: prints a line.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        repeats: Repeats,
        folder: Path,
        logs: Path,
        timeout: float | None,
        say: Say,
    ) -> None:
        part = part_named(name)(settings)
        self.part, self.name, self.settings, self.repeats = part, name, settings, repeats
        self.folder, self.logs, self.say = folder, logs, say
        self._deadline = time.monotonic() + (timeout or 10**7)
        self.result = PartResult(
            name=name,
            title=part.title,
            workload=part.workload(),
            unit=part.unit,
            device=settings.device,
            size=settings.size,
            growth=part.fresh_process,
            needs=part.needs(),
            sides=[SideResult(side) for side in part.sides()],
        )

    def measure(self) -> None:
        """Fill `result`; what goes wrong with a side is noted there and stops only that side."""
        self.say(f"{self.name} on {self.settings.device}: {self.result.workload}")
        try:
            self._make_files()
            if self.part.fresh_process:
                self._in_fresh_processes()
            else:
                self._in_one_process_a_side()
        except OutOfTime:
            for one in self.result.sides:
                one.problem = one.problem or "out of time (--part-timeout)"
            self.say("  out of time")

    def _make_files(self) -> None:
        if type(self.part).make_files is Part.make_files:
            return
        self.say("  writing files")
        with self._worker("") as worker:
            try:
                worker.ask("files")
            except Failed as error:
                for one in self.result.sides:
                    one.problem = str(error)
                self.say(f"  files can't be written: {error}")

    def _in_one_process_a_side(self) -> None:
        with ExitStack() as stack:
            workers = {}
            for one in self._living():
                workers[one.side.name] = stack.enter_context(self._worker(one.side.name))
                self._asked(one, workers[one.side.name], "build")
            for turn in range(self._turns()):
                for one in self._living():
                    self._timed(one, workers[one.side.name], turn)
            self._compare(workers)

    def _in_fresh_processes(self) -> None:
        for turn in range(self._turns()):
            for one in self._living():
                with self._worker(one.side.name) as worker:
                    self._asked(one, worker, "build")
                    if one.problem is None:
                        self._timed(one, worker, turn)
                    if turn == self._turns() - 1:
                        self._asked(one, worker, "findings")
        self._compare({})

    def _turns(self) -> int:
        return self.repeats.warm_up + self.repeats.timed

    def _living(self) -> list[SideResult]:
        return [one for one in self.result.sides if one.problem is None]

    def _worker(self, side: str) -> Worker:
        name = (side or "files").replace(" ", "-")
        log = self.logs / f"{self.name}-{self.settings.device}-{name}.log"
        return Worker(self.name, side, self.folder, self.settings, log, self._deadline)

    def _asked(self, one: SideResult, worker: Worker, word: str) -> dict:
        if one.problem is not None:
            return {}
        try:
            return worker.ask(word)
        except Failed as error:
            one.problem = str(error)
            self.say(f"  {one.side.name}: {error}")
            worker.close()
            return {}

    def _timed(self, one: SideResult, worker: Worker, turn: int) -> None:
        answer = self._asked(one, worker, "run")
        if not answer:
            return
        one.peak_bytes, one.start_bytes = answer["peak_bytes"], answer["start_bytes"]
        place = turn - self.repeats.warm_up
        if place >= 0:
            one.seconds.append(answer["seconds"])
            one.others.append(answer["others"])
        which = "warm-up" if place < 0 else f"{place + 1} of {self.repeats.timed}"
        self.say(f"  {one.side.name:<18} {which:<9} {answer['seconds']:9.3f} s")

    def _compare(self, workers: dict[str, Worker]) -> None:
        for one in self._living():
            if one.side.name in workers:
                self._asked(one, workers[one.side.name], "findings")
        found = {}
        for one in self._living():
            with np.load(self.folder / f"found-{one.side.name}.npz") as arrays:
                found[one.side.name] = dict(arrays)
            one.measures = self.part.measures(found[one.side.name])
        self.result.checks = self._checks(found)
        for check in self.result.checks:
            self.say(f"  {'same' if check.passed else 'NOT THE SAME'}: {check.text}")

    def _checks(self, found: dict[str, dict[str, np.ndarray]]) -> list[Check]:
        return self.part.checks(found) if len(found) > 1 else []
