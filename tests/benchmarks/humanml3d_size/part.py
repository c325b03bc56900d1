"""What a part of the simulation is, and what it measures."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Place:
    """Where a part works.

    Attributes:
        folder: of all parts of one size; earlier ones have left there what later ones need.
        clips: of the simulation.
        threads: of the CPU.
        seed: of the simulation.
    """

    folder: Path
    clips: int
    threads: int
    seed: int = 0

    @property
    def source(self) -> Path:
        """The folder in HumanML3D's layout."""
        return self.folder / "HumanML3D"

    @property
    def store(self) -> Path:
        """The motion store that is made of it."""
        return self.folder / "store"

    def run(self, stage: str) -> Path:
        """What a stage left."""
        return self.folder / "runs" / stage


@dataclass(frozen=True)
class Found:
    """What a part measured.

    Attributes:
        seconds: of the work that was done.
        done: units that were done.
        whole: units of the whole; more than `done` where the rest is projected linearly.
        fixed: seconds that the whole needs once, however many units it has; part of `seconds`.
    """

    seconds: float
    done: float
    whole: float
    fixed: float = 0.0

    @property
    def projected(self) -> float:
        """Seconds of the whole: those that are needed once, and the rest linearly."""
        return self.fixed + (self.seconds - self.fixed) * self.whole / self.done


@dataclass(frozen=True)
class Part:
    """One thing that is measured.

    Attributes:
        name: unique.
        title: what is done, for the table.
        unit: of its work.
        measure: does it and says what was measured.
        most: clips of the largest simulation that it is run on; above, the table projects it
            linearly from the largest one measured.
        grows: whether the work that is measured grows with the clips; a few steps of a training
            do not.
    """

    name: str
    title: str
    unit: str
    measure: Callable[[Place], Found]
    most: int = 10**9
    grows: bool = True
