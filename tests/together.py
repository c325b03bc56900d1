"""Real processes that talk to each other by gloo, as a launcher would start them."""

import os
import socket
import time
from collections.abc import Callable
from typing import Any

import torch
import torch.multiprocessing as mp

from launch.jobs.processes import local_processes, local_variables
from motiongpt.distributed import process_group_ended

GIVE_UP_SECONDS = 240.0


def run_together(world: int, work: Callable[..., None], *arguments: Any) -> None:
    """Call `work(processes, *arguments)` in each of `world` processes.

    Raises:
        TimeoutError: they have not ended after minutes: one waits for another.
        Exception: whatever one of them raised.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    together = mp.spawn(_one, args=(world, port, work, arguments), nprocs=world, join=False)
    deadline = time.monotonic() + GIVE_UP_SECONDS
    try:
        while not together.join(timeout=1.0):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{world} processes wait for each other")
    finally:
        for process in together.processes:
            if process.is_alive():
                process.kill()


def _one(rank: int, world: int, port: int, work: Callable[..., None], arguments: Any) -> None:
    os.environ.update(local_variables(rank, world, port, "test"))
    torch.set_num_threads(1)
    with process_group_ended():
        work(local_processes(), *arguments)
