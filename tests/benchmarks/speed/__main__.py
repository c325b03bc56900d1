"""Time our way and the original's side by side: training, generating, coding, opening.

    python -m tests.benchmarks.speed                              # all parts, size small
    python -m tests.benchmarks.speed --size base
    python -m tests.benchmarks.speed training_step generation --size base --threads 2
    python -m tests.benchmarks.speed tokenizer_coding --device cuda --repeats 20 --out coding

Each part does the same work in the original's way (everything padded to 256 tokens, one clip at a
time through the VQ-VAE, logits of the whole vocabulary) and in ours. The ways take turns, each in
a process of its own, with the same random weights. Left in a folder: table.md and results.json,
with the machine, versions and commit. Nothing is downloaded.

Sizes: `tiny` takes seconds and says nothing about speed; `small` (flan-t5-small's sizes; some five
minutes on two cores) is the default; `base` (flan-t5-base's sizes and the paper's VQ-VAE) takes
some half an hour on two cores and 20 GB of memory.
"""

import argparse
import shlex
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from launch.runs.sources import git_state
from motiongpt.errors import UserError
from tests.benchmarks.speed.machine import describe_machine
from tests.benchmarks.speed.measuring import Measurement
from tests.benchmarks.speed.part import SIZES, Settings
from tests.benchmarks.speed.parts import part_named, part_names
from tests.benchmarks.speed.report import write_report

PROGRAM = "python -m tests.benchmarks.speed"


def main(arguments: Sequence[str]) -> int:
    """Measure and write; 1 if a side failed or the sides differ, 130 if it was interrupted."""
    options = _parse(arguments)
    settings = Settings(options.size, options.device, options.threads, options.seed)
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    folder = options.out or Path("outputs/speed", began.replace(":", "-"))
    logs = folder / "logs"
    about = {
        "command": shlex.join([*PROGRAM.split(), *arguments]),
        "time": began,
        "settings": asdict(settings),
        "machine": describe_machine(),
        "git": git_state(),
        "interrupted": False,
    }
    measurements = []
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a time limit ends it as Ctrl-C does
    try:
        for name in options.parts or part_names():
            if settings.device in part_named(name, settings).devices:
                logs.mkdir(parents=True, exist_ok=True)
                measurements.append(Measurement(name, settings, options.repeats, logs, _log))
                measurements[-1].measure()
    except KeyboardInterrupt:
        about["interrupted"] = True
    results = [one.result for one in measurements]
    print(write_report(folder, results, [one.part for one in measurements], about))
    print(f"\nwritten to {folder}")
    sides = [side for result in results for side in result.sides.values()]
    if about["interrupted"]:
        return 130
    return int(any(side.problem or (side.check and not side.check.passed) for side in sides))


def _log(line: str) -> None:
    print(line, flush=True)


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="which (default: all)")
    parser.add_argument("--size", choices=SIZES, default="small", help="default: small")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="default: cpu")
    parser.add_argument("--threads", type=int, default=2, help="of the CPU (default: 2)")
    parser.add_argument("--repeats", type=int, help="timed runs of a side (default: the part's)")
    parser.add_argument("--seed", type=int, default=0, help="of weights and data (default: 0)")
    parser.add_argument("--out", type=Path, help="folder (default: outputs/speed/TIME)")
    options = parser.parse_intermixed_args(arguments)
    for name in ("threads", "repeats"):
        value = getattr(options, name)
        if value is not None and value < 1:
            raise UserError(f"--{name} {value}: give 1 or more")
    if options.device == "cuda" and not torch.cuda.is_available():
        raise UserError("--device cuda: there is no GPU that torch can use; use --device cpu")
    for name in options.parts:
        part_named(name, Settings())
    return options


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except UserError as error:
        sys.exit(f"{PROGRAM}: {error}")
