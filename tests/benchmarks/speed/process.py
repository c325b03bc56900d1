"""One side of a part in a process of its own, which does what it is asked to, a word at a time."""

import contextlib
import ctypes
import gc
import multiprocessing
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

import psutil
import torch

from tests.benchmarks.speed.part import Findings, Settings
from tests.benchmarks.speed.parts import part_named

# Not forked: torch is started anew, with its own threads and its own memory.
CONTEXT: multiprocessing.context.BaseContext = multiprocessing.get_context("spawn")


class Failed(Exception):
    """A side could not do what it was asked to; the message is one line."""


class Process:
    """The parent's end; leaving the `with` block ends the process.

    Args:
        part, side: what it does.
        folder: for files that it reads.
        settings: of the run.
        log: file for what it prints.
    """

    def __init__(self, part: str, side: str, folder: Path, settings: Settings, log: Path) -> None:
        self._connection, other = CONTEXT.Pipe()
        self._process = CONTEXT.Process(
            target=_serve, args=(other, part, side, folder, settings, log), daemon=True
        )
        self._process.start()
        other.close()

    def ask(self, word: str) -> Any:
        """Have it do "build", "run" or "findings"; see `_Served`.

        Raises:
            Failed: it said that it can't, or it ended.
        """
        try:
            self._connection.send(word)
            answer, problem = self._connection.recv()
        except (EOFError, BrokenPipeError, ConnectionResetError):
            self._process.join()
            code = self._process.exitcode
            killed = "was killed, most likely because memory ran out"
            raise Failed(killed if code == -9 else f"ended with status {code}") from None
        if problem is not None:
            raise Failed(problem)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.join()


class _Served:
    """The child's end: what can be asked of it."""

    def __init__(self, part: str, side: str, folder: Path, settings: Settings) -> None:
        self.part = part_named(part, settings)
        self.side, self.folder, self.settings = side, folder, settings
        if settings.device == "cuda":
            torch.cuda.init()
        self._start = memory_now(settings.device)
        self._work: Callable[[], Any] = lambda: None
        self._output: Any = None

    def build(self) -> None:
        """Make the side ready, with the same random numbers as every other side."""
        torch.manual_seed(self.settings.seed)
        self._work = self.part.work(self.side, self.folder)

    def run(self) -> dict[str, Any]:
        """Do the work once; how long it took, and the bytes at the start and at the most."""
        device = self.settings.device
        _synchronize(device)
        start = time.perf_counter()
        self._output = self._work()
        _synchronize(device)
        seconds = time.perf_counter() - start
        peak = peak_memory(device)
        _give_back_memory(device)
        return {"seconds": seconds, "peak_bytes": peak, "start_bytes": self._start}

    def findings(self) -> Findings:
        """What came of the last run."""
        return self.part.findings(self._output)


def _serve(
    connection: Connection, part: str, side: str, folder: Path, settings: Settings, log: Path
) -> None:
    """Answer until the other end is closed, with the result or, in one line, the problem."""
    with log.open("a") as lines, contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
        os.dup2(lines.fileno(), 1)
        os.dup2(lines.fileno(), 2)
        torch.set_num_threads(settings.threads)
        served = None
        while word := connection.recv():
            try:
                served = served or _Served(part, side, folder, settings)
                connection.send((getattr(served, word)(), None))
            except Exception as error:
                traceback.print_exc()
                text = " ".join(str(error).split())
                connection.send((None, f"{type(error).__name__}: {text}"))


def _synchronize(device: str) -> None:
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


def _give_back_memory(device: str) -> None:
    """Return what is free to the system, so that the other sides have room meanwhile."""
    gc.collect()
    if device == "cuda":
        torch.cuda.empty_cache()
    elif sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, others don't
        if trim is not None:
            trim(0)
