"""Real processes that talk to each other by gloo, as a launcher would start them.

They are forks of one process that has imported the libraries, which takes seconds of each process
of a spawn; that one has computed nothing, so that no lock or thread is lost on the way.
"""

import os
import socket
import time
from collections.abc import Callable
from multiprocessing import get_context
from typing import Any

import torch
import torch.multiprocessing as mp

from launch.jobs.processes import local_processes, local_variables
from motiongpt.distributed import process_group_ended

GIVE_UP_SECONDS = 240.0
FORKING = "forkserver"
IMPORTED = [
    *("launch.commands.run", "launch.commands.status", "launch.sweeps.closing"),
    *("launch.jobs.run_stage", "launch.loggers.fail_safe_logger"),
    "launch.launchers.debug",
    *(
        "evaluation.evaluate_stage",
        "evaluation.generate_stage",
        "evaluation.reports.result_page.page",
    ),
    *("evaluation.metrics.fid", "evaluation.cards.picture", "torchmetrics", "scipy.stats"),
    *("motiongpt.training.fit", "motiongpt.codecs.vq_vae.module", "motiongpt.data.build"),
    *("motiongpt.data.synthetic", "scipy.interpolate", "scipy.ndimage", "scipy.signal"),
    *("motiongpt.methods.motiongpt.training.language_stages", "motiongpt.text_encoders.small"),
    "motiongpt.methods.motiongpt.training.language_module",
    "motiongpt.methods.motiongpt.generation.generate",
    *("transformers.models.t5.modeling_t5", "transformers.models.gpt2.modeling_gpt2"),
    "transformers.models.distilbert.modeling_distilbert",
]
"""What a command imports when it comes to need it: here it is there already, for all of them."""
get_context(FORKING).set_forkserver_preload(IMPORTED)


def start_processes(work: Callable[..., None], arguments: tuple, world: int, join: bool) -> Any:
    """Call `work(rank, *arguments)` in each of `world` processes; as torch.multiprocessing.spawn.

    They have the variables that this process has, not those that it had when the first was forked.
    """
    given = (dict(os.environ), work, arguments)
    return mp.start_processes(_with_variables, given, world, join, start_method=FORKING)


def run_together(world: int, work: Callable[..., None], *arguments: Any) -> None:
    """Call `work(processes, *arguments)` in each of `world` processes.

    Raises:
        TimeoutError: they have not ended after minutes: one waits for another.
        Exception: whatever one of them raised.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    together = start_processes(_one, (world, port, work, arguments), world, join=False)
    deadline = time.monotonic() + GIVE_UP_SECONDS
    try:
        while not together.join(timeout=1.0):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{world} processes wait for each other")
    finally:
        for process in together.processes:
            if process.is_alive():
                process.kill()


def _with_variables(
    rank: int, variables: dict[str, str], work: Callable[..., None], arguments: tuple
) -> None:
    os.environ.clear()
    os.environ.update(variables)
    work(rank, *arguments)


def _one(rank: int, world: int, port: int, work: Callable[..., None], arguments: Any) -> None:
    os.environ.update(local_variables(rank, world, port, "test"))
    torch.set_num_threads(1)
    with process_group_ended():
        work(local_processes(), *arguments)
