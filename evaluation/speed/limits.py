"""The machine's limits, measured: multiplications a second and bytes a second."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch

from evaluation.speed.device import synchronize
from evaluation.speed.part import Needs

BYTES = {"float32": 4, "bfloat16": 2}
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16}
# Rows of the square matrices, and bytes of the copied array: far beyond any cache, and short.
MATRIX = {"cpu": 2048, "cuda": 8192}
COPIED = {"cpu": 2**28, "cuda": 2**31}
RUNS = 7


@dataclass(frozen=True)
class Limits:
    """What one device did in the best of several runs.

    Attributes:
        flop: floating point operations a second of a large matrix product, by dtype.
        bandwidth: bytes a second, read and written together, of a large copy.
    """

    flop: dict[str, float]
    bandwidth: float

    def or_better(self, other: "Limits") -> "Limits":
        """The better of two measurements of one device: other programs can only lessen them."""
        flop = {name: max(value, other.flop[name]) for name, value in self.flop.items()}
        return Limits(flop, max(self.bandwidth, other.bandwidth))

    def seconds(self, needs: Needs, dtype: str) -> float | None:
        """No run can be shorter: calculating and moving numbers at best overlap altogether.

        None where a part says neither what it calculates nor what it moves.
        """
        calculating = needs.flop / self.flop[dtype]
        moving = needs.numbers * BYTES[dtype] / self.bandwidth
        return max(calculating, moving) or None


def measure_limits(device: str) -> Limits:
    """Time matrix products and a copy on `device`; takes some seconds."""
    return Limits(
        flop={name: _product(device, dtype) for name, dtype in DTYPES.items()},
        bandwidth=_copy(device),
    )


def _product(device: str, dtype: torch.dtype) -> float:
    size = MATRIX[device]
    left, right = (torch.randn(size, size, device=device, dtype=dtype) for _ in range(2))
    out = torch.empty_like(left)
    return 2 * size**3 / _best(device, lambda: torch.mm(left, right, out=out))


def _copy(device: str) -> float:
    source = torch.ones(COPIED[device], dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * COPIED[device] / _best(device, lambda: target.copy_(source))


def _best(device: str, work: Callable[[], object]) -> float:
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        synchronize(device)
        times.append(time.perf_counter() - start)
    return min(times)
