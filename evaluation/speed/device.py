"""Devices: which there are, when they have finished, and the memory that they gave out."""

import ctypes
import gc
import resource
import sys
from pathlib import Path

import psutil
import torch


def devices() -> list[str]:
    """The CPU, and a GPU if there is one."""
    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def synchronize(device: str) -> None:
    """Wait until `device` has done what it was given."""
    if device == "cuda":
        torch.cuda.synchronize()


def memory_now(device: str) -> int:
    """Bytes that this process holds: resident memory, or what is allocated on the GPU."""
    if device == "cuda":
        return torch.cuda.memory_allocated()
    return int(psutil.Process().memory_info().rss)


def peak_memory(device: str) -> int:
    """The most bytes that this process ever held."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    status = Path("/proc/self/status")
    if status.exists():
        # What getrusage says would, on Linux, include the parent's memory at the fork.
        line = next(one for one in status.read_text().splitlines() if one.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def give_back_memory(device: str) -> None:
    """Return what is free to the system, so that the other sides have room meanwhile."""
    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()
    elif sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, others don't
        if trim is not None:
            trim(0)
