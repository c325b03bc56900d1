"""The floating-point operations a second that this machine reaches at best."""

import time
from functools import lru_cache

import torch

DTYPES = {"32": torch.float32, "64": torch.float64, "16": torch.float16, "bf16": torch.bfloat16}
SIZE_ON_CPU, SIZE_ON_GPU = 1024, 8192
REPETITIONS = 4


def dtype_of(precision: str) -> torch.dtype:
    """What a precision as Lightning names it ("bf16-mixed") multiplies in."""
    return DTYPES[precision.partition("-")[0]]


@lru_cache
def peak_flops(device: torch.device, dtype: torch.dtype) -> float:
    """Measured once by square matrix products, the best of a few; some 0.2 s.

    Draws no random numbers, so that it changes no training.
    """
    size = SIZE_ON_GPU if device.type == "cuda" else SIZE_ON_CPU
    matrix = torch.full((size, size), 1.0 / size, device=device, dtype=dtype)
    seconds = min(_seconds(matrix) for _ in range(REPETITIONS))
    return 2.0 * size**3 / seconds


def _seconds(matrix: torch.Tensor) -> float:
    _wait(matrix.device)
    begun = time.perf_counter()
    with torch.no_grad():
        torch.mm(matrix, matrix)
    _wait(matrix.device)
    return time.perf_counter() - begun


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
