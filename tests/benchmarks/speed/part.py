"""What a part of the benchmark is: the same work, done in several ways."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

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
        text: how it works, in one line.
        dtype: "float32" or "bfloat16", what it multiplies in.
    """

    name: str
    text: str
    dtype: str = "float32"


@dataclass(frozen=True)
class Check:
    """Whether a side did the same work as the original's.

    Attributes:
        passed: False makes the command fail.
        text: what was compared, and by how much it differs.
    """

    passed: bool
    text: str


class Part(ABC):
    """One thing that is timed.

    Attributes:
        title: what is done, for the table.
        unit: of useful work: tokens, clips …; padding is none.
        sides: the original's way first, then ours.
        devices: on which it can be timed.
        fresh_process: each run in a new process (with the memory beyond what it began with as its
            memory), not one process a side.
        warm_up: untimed runs of each side.
        repeats: timed runs of each side, unless the command says otherwise.
    """

    title: ClassVar[str]
    unit: ClassVar[str]
    sides: ClassVar[tuple[Side, ...]]
    devices: ClassVar[tuple[str, ...]] = ("cpu", "cuda")
    fresh_process: ClassVar[bool] = False
    warm_up: ClassVar[int] = 1
    repeats: ClassVar[int] = 5

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def side(self, name: str) -> Side:
        """The side with this name."""
        return next(side for side in self.sides if side.name == name)

    @abstractmethod
    def workload(self) -> str:
        """Sizes of models and data, in one line."""

    @abstractmethod
    def units(self) -> int:
        """Units of useful work in one run, whichever side does it."""

    @abstractmethod
    def work(self, side: str, folder: Path) -> Callable[[], Any]:
        """Build one side; called in its own process, not timed. Calling what it gives is timed.

        Args:
            folder: what `make_files` filled.
        """

    @abstractmethod
    def findings(self, output: Any) -> Findings:
        """What a side's last run gave, as arrays that can be compared."""

    @abstractmethod
    def compare(self, original: Findings, own: Findings, dtype: str) -> Check:
        """Compare what one of our sides found with what the original's found."""

    def make_files(self, folder: Path) -> None:
        """Write what all sides read; not timed."""
        return
