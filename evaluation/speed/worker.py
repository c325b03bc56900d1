"""The parent's end of a child process that does one side of a part."""

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Self

from evaluation.speed.part import Settings


class OutOfTime(Exception):
    """The part's time is over."""


class Failed(Exception):
    """A child could not do what it was asked to; the message is one line."""


class Worker:
    """A running child; leaving the `with` block ends it.

    Args:
        part, side: what it does.
        folder: for files that it reads and writes.
        settings: of the run.
        log: file for what it prints.
        deadline: on the clock of `time.monotonic`; no answer is waited for any longer.
    """

    def __init__(
        self, part: str, side: str, folder: Path, settings: Settings, log: Path, deadline: float
    ) -> None:
        self.side = side
        self._log = log
        self._deadline = deadline
        given = {"part": part, "side": side, "folder": str(folder), "settings": asdict(settings)}
        threads = {f"{library}_NUM_THREADS": str(settings.threads) for library in ("OMP", "MKL")}
        with open(log, "ab") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "evaluation.speed.child", json.dumps(given)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env={**os.environ, **threads},
                start_new_session=True,  # Ctrl-C is the parent's to answer
            )

    def ask(self, word: str) -> dict[str, Any]:
        """Send a word and wait for the answer.

        Raises:
            OutOfTime: none came in time; the child can't be used any more.
            Failed: it said that it can't, or it ended.
        """
        assert self._process.stdin is not None and self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(f"{word}\n".encode())
            self._process.stdin.flush()
        left = max(0.0, self._deadline - time.monotonic())
        if not select.select([self._process.stdout], [], [], left)[0]:
            raise OutOfTime
        line = self._process.stdout.readline()
        if not line:
            raise Failed(self._ended())
        answer: dict[str, Any] = json.loads(line)
        if "problem" in answer:
            raise Failed(answer["problem"])
        return answer

    def close(self) -> None:
        """End the child, whatever it is doing."""
        self._process.kill()
        self._process.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _ended(self) -> str:
        code = self._process.wait()
        if code == -9:
            return "was killed, most likely because memory ran out"
        lines = self._log.read_text(errors="replace").split("\n")
        said = next((line for line in reversed(lines) if line.strip()), "it said nothing")
        return f"ended with status {code}: {said.strip()}"
