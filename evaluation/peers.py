"""Processes that share work out and must know whether the others still live.

Each leaves a sign of life beside its results; who waits looks whether it changes, by his own clock,
so that the clocks of several machines need not agree.
"""

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from motiongpt.files import write_text

BEAT_SECONDS = 5.0
SILENT_SECONDS = 60.0


def sign_of_life(folder: Path, rank: int) -> Path:
    """File of the process `rank`."""
    return Path(folder) / f".alive_{rank}"


@contextlib.contextmanager
def alive(folder: Path, rank: int, seconds: float = BEAT_SECONDS) -> Iterator[None]:
    """Renew this process's sign of life until the block ends; the file is then removed."""
    file, ended = sign_of_life(folder, rank), threading.Event()

    def renew() -> None:
        beat = 0
        while not ended.wait(0 if beat == 0 else seconds):
            write_text(file, f"{beat}\n")
            beat += 1

    thread = threading.Thread(target=renew, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        file.unlink(missing_ok=True)


class Watch:
    """Which of the other processes have been silent for long.

    Args:
        folder: where the signs lie.
        silent: seconds without a change after which a process counts as dead; None for the usual.
    """

    def __init__(self, folder: Path, silent: float | None = None) -> None:
        self.folder, self.silent = Path(folder), SILENT_SECONDS if silent is None else silent
        self._seen: dict[int, tuple[str, float]] = {}

    def is_silent(self, rank: int) -> bool:
        """Whether the process has left no new sign of life for long."""
        file, now = sign_of_life(self.folder, rank), time.monotonic()
        try:
            sign = file.read_text()
        except FileNotFoundError:
            sign = "absent"
        known = self._seen.get(rank)
        if known is None or known[0] != sign:
            self._seen[rank] = (sign, now)
            return False
        return now - known[1] > self.silent
