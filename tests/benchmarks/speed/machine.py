"""What the numbers were measured on."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
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
    """CPU, memory, GPU, system, how busy it was, and versions of what calculates."""
    return {
        "cpu": _cpu_line("model name") or platform.processor() or platform.machine(),
        "cpu_flags": [flag for flag in FLAGS if flag in (_cpu_line("flags") or "").split()],
        "cores": psutil.cpu_count(logical=False) or psutil.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "system": platform.platform(),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PACKAGES},
    }


def _version(name: str) -> str | None:
    """None of what is not installed: the project itself may run from its folder alone."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


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
