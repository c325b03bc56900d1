"""One side of a part in a process of its own; speaks JSON lines with `worker.Worker`.

    python -m evaluation.speed.child '{"part": …, "side": …, "folder": …, "settings": {…}}'

Reads one word a line: `build`, `run`, `findings`, or `files` and `limits`, which need no side;
answers each with one line; ends when nothing more comes.
"""

import json
import os
import sys
import time
import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evaluation.speed.catalogue import part_named
from evaluation.speed.device import give_back_memory, memory_now, peak_memory, synchronize
from evaluation.speed.limits import measure_limits
from evaluation.speed.machine import OtherPrograms
from evaluation.speed.part import Settings, Work
from motiongpt.errors import UserError


class Child:
    """Does what the words ask for."""

    def __init__(self, part: str, side: str, folder: str, settings: dict[str, Any]) -> None:
        self.settings = Settings(**settings)
        self.part = part_named(part)(self.settings)
        self.side = side
        self.folder = Path(folder)
        self._work: Work | None = None
        if self.settings.device == "cuda":
            torch.cuda.init()
        self._start = memory_now(self.settings.device)

    def files(self) -> dict[str, Any]:
        """Write what all sides read."""
        self.part.make_files(self.folder)
        return {}

    def limits(self) -> dict[str, Any]:
        """Measure the device."""
        return asdict(measure_limits(self.settings.device))

    def build(self) -> dict[str, Any]:
        """Make the side ready, with the same random numbers as every other side."""
        torch.manual_seed(self.settings.seed)
        self._work = self.part.work(self.side, self.folder)
        return {}

    def run(self) -> dict[str, Any]:
        """Do the work once and say how long it took and how much memory there has been."""
        assert self._work is not None, "`build` comes first"
        device = self.settings.device
        synchronize(device)
        others = OtherPrograms()
        start = time.perf_counter()
        self._work.run()
        synchronize(device)
        seconds = time.perf_counter() - start
        peak = peak_memory(device)
        cores = others.cores()
        give_back_memory(device)
        return {
            "seconds": seconds,
            "others": cores,
            "peak_bytes": peak,
            "start_bytes": self._start,
        }

    def findings(self) -> dict[str, Any]:
        """Write what came of the work to a file."""
        assert self._work is not None, "`build` comes first"
        path = self.folder / f"found-{self.side}.npz"
        np.savez(path, **self._work.findings())  # type: ignore[arg-type]
        return {"path": str(path)}


def main() -> None:
    """Answer until the end of standard input."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print must not stand among the answers
    given = json.loads(sys.argv[1])
    torch.set_num_threads(given["settings"]["threads"])
    child = Child(**given)
    for line in sys.stdin:
        try:
            answer = getattr(child, line.strip())()
        except UserError as error:
            answer = {"problem": str(error)}
        except Exception as error:
            traceback.print_exc()
            answer = {"problem": f"{type(error).__name__}: {' '.join(str(error).split())}"}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
