"""Time our way and the original's side by side: training, writing, coding, opening.

Each part does the same work in the original's way (everything padded to 256 tokens, one clip at a
time through the VQ-VAE, logits of the whole vocabulary) and in ours. The ways take turns, each in
a process of its own, with the same random weights. What is written: table.md, table.csv,
results.json (with the machine, versions and commit) and ratios.png. Nothing is downloaded.

Sizes: `tiny` takes seconds and says nothing about speed; `small` (flan-t5-small's sizes; some five
minutes on two cores) is the default; `base` (flan-t5-base's sizes and the paper's VQ-VAE; some
half an hour on two cores, 20 GB of memory) is what the goals are about.
"""

import argparse
import shlex
import time
from collections.abc import Sequence
from pathlib import Path

from launch.runs.sources import git_state
from motiongpt.errors import UserError

EXAMPLES = """examples:
  motiongpt benchmark                                # all parts, size small, CPU and GPU if there
  motiongpt benchmark training_step generation --size base --threads 2
  motiongpt benchmark tokenizer_coding --device cuda --repeats 20 --out coding
"""
SIZES = ("tiny", "small", "base")


def main(arguments: Sequence[str]) -> int:
    """Measure and write; 1 if a side failed or the sides differ, 130 if it was interrupted."""
    options = _parse(arguments)
    # Only now: `--help` and wrong words needn't wait for torch.
    from evaluation.speed.benchmark import Benchmark
    from evaluation.speed.machine import describe_machine, describe_versions
    from evaluation.speed.part import Settings
    from evaluation.speed.report import Circumstances, write_report

    began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    out = options.out or Path("outputs/benchmark", began.replace(":", "-"))
    machine = describe_machine()
    benchmark = Benchmark(
        parts=_parts(options.parts),
        devices=_devices(options.device),
        settings=Settings(size=options.size, threads=options.threads, seed=options.seed),
        repeats=options.repeats,
        warm_up=options.warm_up,
        timeout=options.part_timeout,
        folder=out,
        say=lambda line: print(line, flush=True),
    )
    finished = benchmark.run()
    about = Circumstances(
        command=shlex.join(["motiongpt", "benchmark", *arguments]),
        time=began,
        settings={"size": options.size, "threads": options.threads, "seed": options.seed},
        machine=machine,
        versions=describe_versions(),
        git=git_state(),
        interrupted=not finished,
    )
    print(f"\n{write_report(out, benchmark.results, benchmark.limits, about)}\n\nwritten to {out}")
    if not finished:
        return 130
    failed = any(one.problem for result in benchmark.results for one in result.sides)
    differ = any(not check.passed for result in benchmark.results for check in result.checks)
    return 1 if failed or differ else 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="motiongpt benchmark",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help="which (default: all)")
    parser.add_argument("--size", choices=SIZES, default="small", help="default: small")
    parser.add_argument("--device", choices=("cpu", "cuda"), help="default: CPU, and GPU if there")
    parser.add_argument("--threads", type=int, default=2, help="of the CPU (default: 2)")
    parser.add_argument("--repeats", type=int, help="timed runs of a side (default: the part's)")
    parser.add_argument("--warm-up", type=int, help="untimed runs before (default: the part's)")
    parser.add_argument("--seed", type=int, default=0, help="of weights and data (default: 0)")
    parser.add_argument(
        "--part-timeout", type=float, metavar="SECONDS", help="a part ends then (default: never)"
    )
    parser.add_argument("--out", type=Path, help="folder (default: outputs/benchmark/TIME)")
    options = parser.parse_intermixed_args(arguments)
    for name, least in (("threads", 1), ("repeats", 1), ("warm_up", 0), ("part_timeout", 1)):
        value = getattr(options, name)
        if value is not None and value < least:
            raise UserError(f"--{name.replace('_', '-')} {value}: give {least} or more")
    return options


def _parts(wanted: Sequence[str]) -> list[str]:
    from evaluation.speed.catalogue import part_named, part_names

    for name in wanted:
        part_named(name)
    return list(dict.fromkeys(wanted)) or part_names()


def _devices(wanted: str | None) -> list[str]:
    from evaluation.speed.device import devices

    if wanted is None:
        return devices()
    if wanted not in devices():
        raise UserError(f"--device {wanted}: there is no GPU that torch can use; use --device cpu")
    return [wanted]
