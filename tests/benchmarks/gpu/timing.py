"""Seconds of some work, and what the machine does at best: products and copies of this very run."""

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

COPIED_BYTES = {"cpu": 2**28, "cuda": 2**31}  # beyond every cache
COPIES = 10


def seconds_of(work: Callable[[], Any], device: str, repeats: int, warm_up: int = 2) -> list[float]:
    """Seconds of `repeats` runs after `warm_up` others; the device is waited for before and after."""
    for _ in range(warm_up):
        work()
    found = []
    for _ in range(repeats):
        wait(device)
        begun = time.perf_counter()
        work()
        wait(device)
        found.append(time.perf_counter() - begun)
    return found


def median_of(work: Callable[[], Any], device: str, repeats: int, warm_up: int = 2) -> float:
    """Median of `seconds_of`."""
    return statistics.median(seconds_of(work, device, repeats, warm_up))


def copy_bandwidth(device: str) -> float:
    """Bytes a second that a large copy reads and writes, together; the best of ten."""
    source = torch.zeros(COPIED_BYTES[device], dtype=torch.uint8, device=device)
    target = torch.ones_like(source)
    best = min(seconds_of(lambda: target.copy_(source), device, COPIES))
    return 2.0 * source.numel() / best


def wait(device: str) -> None:
    """Until all that was queued is done."""
    if device == "cuda":
        torch.cuda.synchronize()
