"""torch.compile, static caches, and other attention with T5's bias: what each gains, or doesn't.

    python -m tests.benchmarks.variants                            # CPU, flan-t5-small's sizes
    python -m tests.benchmarks.variants --device cuda --size base

The ways of a group have the same random weights, take turns in one process and give the same numbers, or
the table says how far they are apart. A way that this torch or device lacks is a line that says so. Left
in a folder: table.md and results.json, after each group anew. Nothing is downloaded.
"""

import argparse
import shlex
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from launch.runs.sources import git_state
from motiongpt.allocation import keep_freed_memory
from motiongpt.errors import UserError
from motiongpt.files import write_json, write_text
from tests.benchmarks.speed.machine import describe_machine
from tests.benchmarks.speed.part import SIZES, Settings
from tests.benchmarks.speed.report import machine_line
from tests.benchmarks.variants import attention, model
from tests.benchmarks.variants.variant import Timed, timed

PROGRAM = "python -m tests.benchmarks.variants"
COLUMNS = ("what", "way", "seconds (min – max)", "times as fast", "ready after", "differs by")


def main(arguments: Sequence[str]) -> int:
    """Measure and write; 1 if a way gives other numbers, 130 if it was interrupted."""
    options = _parse(arguments)
    settings = Settings(options.size, options.device, options.threads, options.seed)
    torch.set_num_threads(settings.threads)
    keep_freed_memory()  # as every training does
    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    about = {
        "command": shlex.join([*PROGRAM.split(), *arguments]),
        "time": began,
        "settings": asdict(settings),
        "machine": describe_machine(),
        "git": git_state(),
    }
    folder = options.out or Path("outputs/variants", began.replace(":", "-"))
    found: list[Timed] = []
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a time limit ends it as Ctrl-C does
    try:
        for group in [*attention.groups(settings), *model.groups(settings)]:
            print(group.title, flush=True)
            for one in timed(group, settings.device, options.repeats):
                found.append(one)
                said = one.problem if one.median is None else f"{one.median:.4g} s"
                print(f"  {one.way}: {said}", flush=True)
            _write(folder, found, about)
    except KeyboardInterrupt:
        print("stopped before its end: groups are missing", flush=True)
        return 130
    print(f"{(folder / 'table.md').read_text()}\nwritten to {folder}")
    return int(any(one.same is False for one in found))


def _write(folder: Path, found: Sequence[Timed], about: Mapping[str, Any]) -> None:
    ways = [{**asdict(one), "median": one.median} for one in found]
    write_json(folder / "results.json", {"kind": "variants", "format": 1, **about, "ways": ways})
    write_text(folder / "table.md", "\n".join(_lines(found, about)) + "\n")


def _lines(found: Sequence[Timed], about: Mapping[str, Any]) -> list[str]:
    lines = [f"# Other ways, size {about['settings']['size']}", "", machine_line(about), ""]
    lines += [f"| {' | '.join(COLUMNS)} |", f"| {' | '.join('---' for _ in COLUMNS)} |"]
    first: dict[str, float | None] = {}
    for one in found:
        base = first.setdefault(one.group, one.median)
        lines.append(f"| {' | '.join(_cells(one, base))} |")
    return [*lines, "", f"To get it again: `{about['command']}`"]


def _cells(one: Timed, base: float | None) -> list[str]:
    if one.median is None:
        return [one.group, one.way, one.problem.replace("|", "/"), "", "", ""]
    spread = f"{min(one.seconds):.3g} – {max(one.seconds):.3g}"
    apart = "" if one.apart is None else f"{one.apart:.1e}"
    return [
        one.group,
        one.way,
        f"{one.median:.3g} ({spread}) x {len(one.seconds)}",
        f"{base / one.median:.2f}" if base else "",
        f"{one.ready:.1f} s",
        apart if one.same is not False else f"**{apart or one.problem}**",
    ]


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=PROGRAM, description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu", help="default: cpu")
    parser.add_argument("--size", choices=SIZES, default="small", help="default: small")
    parser.add_argument("--threads", type=int, default=2, help="of the CPU (default: 2)")
    parser.add_argument("--repeats", type=int, default=5, help="timed runs of a way (default: 5)")
    parser.add_argument("--seed", type=int, default=0, help="of weights and data (default: 0)")
    parser.add_argument("--out", type=Path, help="folder (default: outputs/variants/TIME)")
    options = parser.parse_args(arguments)
    if options.threads < 1 or options.repeats < 1:
        raise UserError("--threads and --repeats: give 1 or more")
    if options.device == "cuda" and not torch.cuda.is_available():
        raise UserError("--device cuda: there is no GPU that torch can use; use --device cpu")
    return options


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except UserError as error:
        sys.exit(f"{PROGRAM}: {error}")
