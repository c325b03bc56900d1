"""What a part of the benchmark is: the same work, done in several ways."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np

ORIGINAL = "original"
SIZES = ("tiny", "small", "base")
Findings = dict[str, np.ndarray]


@dataclass(frozen=True)
class Settings:
    """What a run of the benchmark asks of every part.

    Attributes:
        size: "tiny" (seconds, for tests), "small" (a laptop) or "base" (flan-t5-base and the
            paper's VQ-VAE).
        device: "cpu" or "cuda".
        threads: of the CPU.
        seed: of weights and data.
        dropout: of the language model in training; 0.1 as T5 was trained.
    """

    size: str = "small"
    device: str = "cpu"
    threads: int = 2
    seed: int = 0
    dropout: float = 0.1


@dataclass(frozen=True)
class Side:
    """One way to do a part's work.

    Attributes:
        name: unique in its part; the original's is `ORIGINAL`.
        dtype: "float32" or "bfloat16", what the machine's limit is taken for.
        text: how it works, in one line.
        goal: what it is to reach at size base, by device.
    """

    name: str
    dtype: str
    text: str
    goal: Mapping[str, "Goal"] = field(default_factory=dict)


@dataclass(frozen=True)
class Goal:
    """What a side is to reach; None for what does not matter.

    Attributes:
        ratio: at least so many times as fast as the original's way.
        memory_share: peak memory, at most this share of the original's.
        seconds: of a run, at most.
        memory_bytes: at most.
    """

    ratio: float | None = None
    memory_share: float | None = None
    seconds: float | None = None
    memory_bytes: float | None = None

    def verdicts(
        self,
        ratio: float | None,
        memory_share: float | None,
        seconds: float | None,
        memory_bytes: float | None,
    ) -> dict[str, bool]:
        """Each thing that is asked for, in a few words, and whether what was measured reaches it.

        A number that is missing doesn't.
        """
        at_most = (
            ("≤ {} of the memory", self.memory_share, memory_share, 1),
            ("≤ {} s", self.seconds, seconds, 1),
            ("≤ {} MB", self.memory_bytes, memory_bytes, 1e6),
        )
        found = {
            words.format(f"{goal / unit:g}"): value is not None and value <= goal
            for words, goal, value, unit in at_most
            if goal is not None
        }
        if self.ratio is None:
            return found
        return {f"≥ {self.ratio:g} x": ratio is not None and ratio >= self.ratio} | found


@dataclass(frozen=True)
class Needs:
    """What one run of the work can't do without, whichever side does it.

    Attributes:
        units: of useful work: tokens, clips … (see `Part.unit`); padding is none.
        flop: multiplications and additions; 0 if they are not what takes the time.
        numbers: numbers that are read from or written to memory, in the side's dtype.
    """

    units: float
    flop: float = 0.0
    numbers: float = 0.0


@dataclass(frozen=True)
class Check:
    """Whether the sides did the same work.

    Attributes:
        text: what was compared, and by how much it differs.
        passed: False makes the command fail.
    """

    text: str
    passed: bool


class Work(Protocol):
    """One side, ready to run as often as it is asked to."""

    def run(self) -> None:
        """Do the work once; this is what is timed."""
        ...

    def findings(self) -> Findings:
        """What came of it, for `Part.checks`; called once, after the last run."""
        ...


@dataclass(frozen=True)
class Repeats:
    """Runs of each side: untimed ones first, then timed ones."""

    warm_up: int = 1
    timed: int = 5


class Part(ABC):
    """One thing that is timed.

    Attributes:
        title: what is done, for the table.
        unit: of useful work.
        devices: on which it can be timed.
        fresh_process: each run in a new process (with the memory beyond what it began with as its
            memory), not one process a side.
        repeats: for each size, unless the command says otherwise.
    """

    title: ClassVar[str]
    unit: ClassVar[str]
    devices: ClassVar[tuple[str, ...]] = ("cpu", "cuda")
    fresh_process: ClassVar[bool] = False
    repeats: ClassVar[Mapping[str, Repeats]] = {
        "tiny": Repeats(1, 2),
        "small": Repeats(1, 5),
        "base": Repeats(1, 5),
    }

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @abstractmethod
    def workload(self) -> str:
        """Sizes of models and data, in one line."""

    @abstractmethod
    def sides(self) -> Sequence[Side]:
        """The original's way first, then ours."""

    @abstractmethod
    def work(self, side: str, folder: Path) -> Work:
        """Build one side; called in its own process, not timed.

        Args:
            folder: what `make_files` filled.
        """

    @abstractmethod
    def needs(self) -> Needs:
        """What a run needs, for the machine's limit."""

    @abstractmethod
    def checks(self, found: Mapping[str, Findings]) -> list[Check]:
        """Compare what the sides found; `found` has an entry for each that came to its end."""

    def make_files(self, folder: Path) -> None:
        """Write what all sides read; not timed."""
        return

    def measures(self, found: Findings) -> dict[str, float]:
        """Numbers of one side that belong into the table beside its times."""
        return {}
