"""What a stage runs on, in a few words and numbers: how long it takes depends on them."""

import platform
from dataclasses import dataclass
from pathlib import Path

from motiongpt.training.stage import Hardware

CPU_FACTS = Path("/proc/cpuinfo")
CPU_NAME = "model name"


@dataclass(frozen=True)
class Machine:
    """Of all processes of a stage together.

    Attributes:
        device: name of the GPU, or else of the CPU, that each of them computes on; empty where
            that is not known yet.
        gpus: that they use.
        processes: how many they are.
        threads: of each on the CPU; 0 where a GPU does the work.
    """

    device: str
    gpus: int
    processes: int
    threads: int


def machine_of(hardware: Hardware, processes: int) -> Machine:
    """What this process, as one of `processes`, runs on."""
    if uses_gpu(hardware):
        return Machine(device_name(gpu=True), processes, processes, 0)
    threads = hardware.threads or _own_threads()
    return Machine(device_name(gpu=False), 0, processes, threads)


def uses_gpu(hardware: Hardware) -> bool:
    """Whether a stage with this hardware computes on a GPU of this machine."""
    return hardware.accelerator != "cpu" and _has_gpu()


def device_name(gpu: bool) -> str:
    """Name of this machine's GPU or CPU, as its maker calls it."""
    if gpu and _has_gpu():
        import torch

        return torch.cuda.get_device_name()
    if CPU_FACTS.is_file():
        for line in CPU_FACTS.read_text(errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == CPU_NAME:
                return value.strip()
    return platform.processor() or platform.machine()


# Importing torch takes a second: commands that start nothing on this machine don't wait for it.


def _has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def _own_threads() -> int:
    import torch

    return torch.get_num_threads()
