"""One part in a process of its own: `python -m tests.benchmarks.gpu.one NAME SETTINGS FILE`.

Every number is a line of FILE as soon as it is measured: what fails later does not lose it.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path

import torch

from motiongpt.allocation import keep_freed_memory
from tests.benchmarks.gpu.parts import measure_of
from tests.benchmarks.speed.part import Settings


def main(name: str, settings_text: str, file: str) -> None:
    """Measure and write; what a part raises ends the process."""
    settings = Settings(**json.loads(settings_text))
    torch.set_num_threads(settings.threads)
    keep_freed_memory()  # as every training does
    with Path(file).open("a") as lines:
        for number in measure_of(name)(settings):
            lines.write(json.dumps(asdict(number)) + "\n")
            lines.flush()
            judged = {True: "  ok", False: "  FAILED", None: ""}[number.passed]
            print(f"  {number.name}: {number.value:.4g} {number.unit}{judged}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
