"""The whole benchmark: parts one after the other, and what is kept when it is stopped."""

import signal
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evaluation.speed.catalogue import part_named
from evaluation.speed.limits import Limits
from evaluation.speed.measuring import Measurement, limits_of
from evaluation.speed.part import Repeats, Settings
from evaluation.speed.results import PartResult

Say = Callable[[str], None]


@dataclass
class Benchmark:
    """What is asked, and what has been measured so far.

    Attributes:
        parts: names.
        devices: "cpu", "cuda".
        settings: of all parts; the device is put in.
        repeats, warm_up: runs of each side; None for each part's own.
        timeout: seconds for one part on one device; None for no limit.
        folder: for the processes' logs.
        say: prints a line.
        limits: by device, the better of before and after.
        results: of the parts that were begun.
    """

    parts: Sequence[str]
    devices: Sequence[str]
    settings: Settings
    repeats: int | None
    warm_up: int | None
    timeout: float | None
    folder: Path
    say: Say

    def __post_init__(self) -> None:
        self.limits: dict[str, Limits] = {}
        self.results: list[PartResult] = []

    def run(self) -> bool:
        """Measure all; False if Ctrl-C, or a time limit's signal, ended it early."""
        usual = signal.signal(signal.SIGTERM, signal.default_int_handler)
        try:
            for device in self.devices:
                self._on_device(replace(self.settings, device=device))
        except KeyboardInterrupt:
            return False
        finally:
            signal.signal(signal.SIGTERM, usual)
        return True

    def _on_device(self, settings: Settings) -> None:
        names = [name for name in self.parts if settings.device in part_named(name).devices]
        if not names:
            return
        logs = self.folder / "logs"
        logs.mkdir(parents=True, exist_ok=True)
        self.say(f"limits of {settings.device}")
        self.limits[settings.device] = limits_of(settings, logs, names[0])
        for name in names:
            with tempfile.TemporaryDirectory(prefix="motiongpt-benchmark-") as folder:
                measurement = Measurement(
                    name,
                    settings,
                    self._repeats(name),
                    Path(folder),
                    logs,
                    self.timeout,
                    self.say,
                )
                self.results.append(measurement.result)
                measurement.measure()
        again = limits_of(settings, logs, names[0])
        self.limits[settings.device] = self.limits[settings.device].or_better(again)

    def _repeats(self, name: str) -> Repeats:
        usual = part_named(name).repeats[self.settings.size]
        return Repeats(
            usual.warm_up if self.warm_up is None else self.warm_up,
            usual.timed if self.repeats is None else self.repeats,
        )
