"""Ways to compute one and the same thing, timed in turns in one process."""

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from tests.benchmarks.gpu.timing import wait


@dataclass(frozen=True)
class Way:
    """One way.

    Attributes:
        name: of it; the first of a group is what the project does today, or transformers.
        make: builds it, not timed; what it gives is timed and gives numbers to compare.
    """

    name: str
    make: Callable[[], Callable[[], Tensor]]


@dataclass(frozen=True)
class Group:
    """Ways to do the same.

    Attributes:
        title: what they do.
        ways: the first is what the others are compared with.
        tolerance: of the largest number; how far results may be apart.
    """

    title: str
    ways: Sequence[Way]
    tolerance: float


@dataclass
class Timed:
    """What was found of one way.

    Attributes:
        group, way: names.
        ready: seconds of building it and its first run, compilation included.
        seconds: of the timed runs.
        apart: from the first way's result, over that one's largest number; None where not known.
        same: whether that is within the group's tolerance; None of the first way.
        problem: why it can't be had here, or empty.
    """

    group: str
    way: str
    ready: float = 0.0
    seconds: list[float] = field(default_factory=list)
    apart: float | None = None
    same: bool | None = None
    problem: str = ""

    @property
    def median(self) -> float | None:
        """Seconds; None without a timed run."""
        return statistics.median(self.seconds) if self.seconds else None


def timed(group: Group, device: str, repeats: int) -> Iterator[Timed]:
    """Build all ways of a group, then run them in turns; yields each when all is known."""
    found: list[Timed] = []
    works: list[Callable[[], Tensor] | None] = []
    first: Tensor | None = None
    for way in group.ways:
        one = Timed(group.title, way.name)
        found.append(one)
        begun = time.perf_counter()
        try:
            work = way.make()
            result = work().detach().float().cpu()
        except Exception as error:  # what a version or a device lacks is a result of this benchmark
            one.problem = f"{type(error).__name__}: {' '.join(str(error).split())}"[:160]
            works.append(None)
            continue
        wait(device)
        one.ready = time.perf_counter() - begun
        works.append(work)
        if first is None:
            first = result
        elif result.shape != first.shape:
            one.same, one.problem = False, f"{tuple(result.shape)}, not {tuple(first.shape)}"
        else:
            one.apart = float((result - first).abs().max() / first.abs().max().clamp_min(1e-12))
            one.same = one.apart <= group.tolerance
    for _ in range(repeats):
        for one, work in zip(found, works, strict=True):
            if work is not None:
                wait(device)
                begun = time.perf_counter()
                work()
                wait(device)
                one.seconds.append(time.perf_counter() - begun)
    yield from found


def gradient_of(tensors: Sequence[Tensor]) -> Tensor:
    """The gradients of some tensors end to end, after a backward; they are forgotten."""
    found = torch.cat([one.grad.flatten() for one in tensors if one.grad is not None])
    for one in tensors:
        one.grad = None
    return found
