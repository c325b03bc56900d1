"""What the numbers were measured on."""

import os
import platform
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
import torch

PACKAGES = ("torch", "transformers", "tokenizers", "lightning", "numpy", "motiongpt-platform")
# Flags that decide how fast a CPU multiplies, as Linux calls them.
FLAGS = (
    *("avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16"),
    *("amx_tile", "amx_bf16", "asimd", "bf16", "sve"),
)


def describe_machine() -> dict[str, Any]:
    """CPU, memory, GPU, system, and how busy it was."""
    return {
        "cpu": _cpu_line("model name") or platform.processor() or platform.machine(),
        "cpu_flags": [flag for flag in FLAGS if flag in (_cpu_line("flags") or "").split()],
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "cores": psutil.cpu_count(logical=False) or psutil.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "system": platform.platform(),
        "load": round(os.getloadavg()[0], 2),
    }


def describe_versions() -> dict[str, str]:
    """Versions of Python and of what calculates."""
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def _cpu_line(key: str) -> str | None:
    """First value of `key` in Linux' description of the CPU."""
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return None
    for line in path.read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return None


class OtherPrograms:
    """How many cores other programs keep busy from its making on: they slow what is timed."""

    def __init__(self) -> None:
        self._start = self._now()

    def cores(self) -> float:
        """On average so far."""
        seconds, busy, own = (
            now - before for now, before in zip(self._now(), self._start, strict=True)
        )
        return max(0.0, (busy - own) / seconds) if seconds > 0 else 0.0

    def _now(self) -> tuple[float, float, float]:
        """Seconds of the clock, of all cores together, and of this process."""
        all_cores = psutil.cpu_times()
        waiting = all_cores.idle + getattr(all_cores, "iowait", 0.0)
        # Guests' time is in `user` already.
        guests = getattr(all_cores, "guest", 0.0) + getattr(all_cores, "guest_nice", 0.0)
        own = psutil.Process().cpu_times()
        return time.monotonic(), sum(all_cores) - waiting - guests, own.user + own.system
