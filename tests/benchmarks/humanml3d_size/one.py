"""One part in a process of its own, whose memory is the part's."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import torch

from tests.benchmarks.humanml3d_size.part import Place
from tests.benchmarks.humanml3d_size.parts import part_named
from tests.benchmarks.speed.process import memory_now, peak_memory


def main(name: str, folder: str, clips: str, threads: str, seed: str, file: str) -> None:
    """Measure and write what was found, with the process's memory before and at its most."""
    torch.set_num_threads(int(threads))
    part, place = part_named(name), Place(Path(folder), int(clips), int(threads), int(seed))
    before = memory_now("cpu")
    started = sum(os.times()[:4])
    found = part.measure(place)
    beside = {
        "core_seconds": sum(os.times()[:4]) - started,
        "start_bytes": before,
        "peak_bytes": peak_memory("cpu"),
    }
    Path(file).write_text(json.dumps(asdict(found) | beside))


if __name__ == "__main__":
    main(*sys.argv[1:])
