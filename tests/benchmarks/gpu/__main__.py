"""What a GPU has to show, in one run: right numbers first, then speed beside the machine's limits.

    python -m tests.benchmarks.gpu --device cuda             # all parts, flan-t5-base's sizes
    python -m tests.benchmarks.gpu --device cpu --size tiny  # the same dry, on a CPU
    python -m tests.benchmarks.gpu parity training --device cuda --out found

Each part has a process of its own, and none hides what another found. Left in a folder: table.md
and results.json, with the machine, versions and commit. Exit status 1 if a part fails or a limit is
passed. Ratios of speeds are judged with `--device cuda --size base` only. Nothing is downloaded.
"""

import argparse
import json
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import psutil
import torch

from launch.runs.sources import git_state
from motiongpt.errors import UserError
from tests.benchmarks.clone import variables
from tests.benchmarks.gpu.number import Number
from tests.benchmarks.gpu.parts import NAMES, title_of
from tests.benchmarks.gpu.report import PartResult, write_report
from tests.benchmarks.speed.machine import describe_machine
from tests.benchmarks.speed.part import Settings

PROGRAM = "python -m tests.benchmarks.gpu"


def main(arguments: Sequence[str]) -> int:
    """Measure and write; 1 if a part failed, 130 if it was interrupted."""
    options = _parse(arguments)
    settings = Settings(options.size, options.device, options.threads, options.seed)
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    folder = options.out or Path("outputs/gpu", began.replace(":", "-"))
    about = {
        "command": shlex.join([*PROGRAM.split(), *arguments]),
        "time": began,
        "settings": asdict(settings),
        "machine": describe_machine(),
        "git": git_state(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    until = time.monotonic() + 60 * options.minutes
    results: list[PartResult] = []
    interrupted = False
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a time limit ends it as Ctrl-C does
    try:
        for name in options.parts or NAMES:
            results.append(PartResult(name, title_of(name)))
            run_part(results[-1], settings, folder, until - time.monotonic())
    except KeyboardInterrupt:
        results[-1].problem, interrupted = "interrupted", True
    print(write_report(folder, results, about))
    failed = [result.name for result in results if not result.passed]
    print(f"\nwritten to {folder}; " + (f"failed: {', '.join(failed)}" if failed else "all kept"))
    return 130 if interrupted else int(bool(failed))


def run_part(result: PartResult, settings: Settings, folder: Path, seconds: float) -> None:
    """Fill `result` from a process of its own, which is ended after so many seconds."""
    print(f"{result.name}: {result.title}", flush=True)
    if seconds <= 0:
        result.problem = "not run: no time was left (--minutes)"
        return
    lines = folder / f"{result.name}.jsonl"
    lines.unlink(missing_ok=True)
    command = [sys.executable, "-m", "tests.benchmarks.gpu.one", result.name]
    command += [json.dumps(asdict(settings)), str(lines.resolve())]
    begun = time.perf_counter()
    with (folder / f"{result.name}.log").open("w") as log:
        process = subprocess.Popen(command, stderr=log, cwd=folder, env=variables())
        try:
            status = process.wait(timeout=seconds)
            result.problem = "" if status == 0 else _last_line(Path(log.name), status)
        except subprocess.TimeoutExpired:
            result.problem = f"ended after {seconds:.0f} s: no time was left (--minutes)"
        finally:
            _end(process)
    result.seconds = time.perf_counter() - begun
    if lines.exists():
        result.numbers = [Number(**json.loads(line)) for line in lines.read_text().splitlines()]
        lines.unlink()
    if result.problem:
        print(f"  FAILED: {result.problem}", flush=True)


def _end(process: subprocess.Popen) -> None:
    """End it with all that it started."""
    if process.poll() is None:
        for child in psutil.Process(process.pid).children(recursive=True):
            child.kill()
        process.kill()
        process.wait()


def _last_line(log: Path, status: int) -> str:
    """Why it ended, in one line of a table: the exception, else the status."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    said = lines[-1].strip().replace("|", "/") if lines else ""
    return f"status {status}: {said}"[:300]


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cores = psutil.cpu_count(logical=False) or 1
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--device", choices=("cpu", "cuda"), required=True)
    parser.add_argument("--size", choices=("tiny", "small", "base"), default="base")
    parser.add_argument("--threads", type=int, default=cores, help="of the CPU (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="of weights and data (default: 0)")
    parser.add_argument("--minutes", type=float, default=6.0, help="for all parts (default: 6)")
    parser.add_argument("--out", type=Path, help="folder (default: outputs/gpu/TIME)")
    options = parser.parse_intermixed_args(arguments)
    if options.threads < 1 or not options.minutes > 0:
        raise UserError("--threads and --minutes: give more than 0")
    if options.device == "cuda" and not torch.cuda.is_available():
        raise UserError("--device cuda: there is no GPU that torch can use; use --device cpu")
    for name in options.parts:
        title_of(name)
    return options


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except UserError as error:
        sys.exit(f"{PROGRAM}: {error}")
