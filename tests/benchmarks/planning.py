"""Planning of sweeps, points a second: every point by itself beside all points at once.

Both ways in one run, on the same overrides; the plain way is timed on points spread evenly over the
sweep, the fast way on all of them. Seconds are those of all cores together, which a busy machine
lengthens less than those of the clock; the last but one column is the clock.
"""

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from launch.composition.overrides import expand
from launch.plans.graph import Planned, union
from launch.plans.planning import plan_point, plan_sweep

SWEEPS = {
    "200 values": ["stage.tokenizer.learning_rate=range(1,201)", "debug=tiny"],
    "4 choices x 50 values": [
        "downsampling=1,2,4,8",
        "stage.pretrain.learning_rate=range(1,51)",
        "debug=tiny",
    ],
    "192 combinations of choices": [
        "downsampling=1,2,4,8",
        "backbone=t5_tiny,gpt2_tiny,t5_small,gpt2",
        "tasks=all,translation,text_to_motion",
        "quantizer@tokenizer.quantizer=ema_reset,ema,reset,standard",
        "debug=tiny",
    ],
}


def main() -> None:
    """Time each sweep and print a table."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.planning", description=__doc__
    )
    parser.add_argument("--plain-points", type=int, default=20, help="timed one by one")
    options = parser.parse_args()
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        root = f"paths.root={Path(folder)}"
        plan_point([root, "debug=tiny"])  # makes the data, imports what is needed
        print(
            f"{'sweep':<30}{'points':>7}{'plain /s':>10}{'fast /s':>10}{'fast s':>8}{'clock s':>9}"
            f"{'ratio':>7}"
        )
        for name, overrides in SWEEPS.items():
            points = [[root, *point] for point in expand(overrides)]
            some = points[:: max(1, len(points) // options.plain_points)]
            plain, _, expected = _seconds(lambda some=some: [plan_point(one) for one in some])
            fast, clock, found = _seconds(lambda points=points: plan_sweep(points))
            merging, _, _ = _seconds(lambda found=found: [union(found)])
            _check(expected, [found[points.index(one)] for one in some])
            rates = len(some) / plain, len(points) / fast
            print(
                f"{name:<30}{len(points):>7}{rates[0]:>10.1f}{rates[1]:>10.1f}{fast:>8.1f}"
                f"{clock:>9.1f}{rates[1] / rates[0]:>7.1f}   union {merging * 1e3:.0f} ms",
                flush=True,
            )


def _seconds(
    work: Callable[[], list[list[Planned]]],
) -> tuple[float, float, list[list[Planned]]]:
    """Seconds of all cores, children's too, and of the clock."""
    clock, before = time.perf_counter(), os.times()
    result = work()
    after = os.times()
    return sum(after[:4]) - sum(before[:4]), time.perf_counter() - clock, result


def _check(expected: Sequence[Sequence[Planned]], found: Sequence[Sequence[Planned]]) -> None:
    for one, other in zip(expected, found, strict=True):
        if [stage.run for stage in one] != [stage.run for stage in other]:
            raise SystemExit(f"other signatures: {one[0].needed_for}")


if __name__ == "__main__":
    main()
