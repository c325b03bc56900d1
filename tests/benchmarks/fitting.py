"""How much faster clips are fitted together than one at a time: `python -m tests.benchmarks.fitting`.

Twenty made-up clips of 196 frames. Both ways are said in seconds of this process and of the clock:
on a machine that others use too, the first is what to compare.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch

from motiongpt.bodies.fitting import FitOptions, fit
from motiongpt.bodies.free_body import FreeBody
from tests.unit.bodies.stand_ins import made_up_clip


def main(arguments: Sequence[str] | None = None) -> int:
    """Time both ways, and print what each took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=20)
    parser.add_argument("--frames", type=int, default=196)
    parser.add_argument("--steps", type=int, default=FitOptions().steps)
    parser.add_argument("--device", default="cpu")
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(0)
    clips = [
        made_up_clip(options.frames, seed)
        + rng.normal(0, 0.005, (options.frames, 22, 3)).astype(np.float32)
        for seed in range(options.clips)
    ]
    body, how = FreeBody(device=options.device), FitOptions(steps=options.steps)

    def fitted(some: Sequence[np.ndarray]) -> None:
        fit(body, some, 20.0, how, options.device)

    fit(body, clips[:1], 20.0, FitOptions(steps=2), options.device)  # first calls take longer
    together = _seconds(lambda: fitted(clips))
    apart = _seconds(lambda: [fitted([clip]) for clip in clips])
    for name, (process, clock) in (("together", together), ("one at a time", apart)):
        print(f"{name:<14} {process:7.2f} s of the process {clock:7.2f} s of the clock")
    ratio = [slow / fast for slow, fast in zip(apart, together, strict=True)]
    print(f"{'times faster':<14} {ratio[0]:7.2f} {ratio[1]:22.2f}")
    return 0


def _seconds(work: Callable[[], object]) -> tuple[float, float]:
    process, clock = time.process_time(), time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.process_time() - process, time.perf_counter() - clock


if __name__ == "__main__":
    sys.exit(main())
