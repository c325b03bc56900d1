"""Time MDM's sampling: few steps, a batch and captions read once, against all steps clip by clip.

    python -m tests.benchmarks.diffusion_sampling [--clips 16] [--frames 120] [--size mdm_small]

The slow way reads the caption and goes through all 1,000 steps for one clip alone; as many clips take
as many times as long. The fast way goes through 50 with all clips in a batch. Both have the same random
weights, which take as long as trained ones. The ways take turns in one process; of each the median is
shown, of the processor's time and of the clock's.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch

from launch.composition.build import build
from launch.composition.compose import compose_config
from motiongpt.methods.base import TEXT_TO_MOTION, Request
from motiongpt.methods.mdm.folder import TrainedMotionDenoiser
from motiongpt.methods.mdm.method import MDM, Sampling
from motiongpt.methods.mdm.schedule import NoiseSchedule
from motiongpt.text_encoders.base import TextEncoder

FEATURES, STEPS = 263, 1000
CAPTIONS = [(f"a person walks forward {number} times",) for number in range(64)]


def method(size: str, encoder: TextEncoder, steps: int, batch: int) -> MDM:
    """With random weights, at the size of conf/motion_denoiser/SIZE.yaml."""
    torch.manual_seed(0)
    config = compose_config(["method=mdm", f"motion_denoiser={size}"])
    network = build(config.motion_denoiser)(n_features=FEATURES, text_width=encoder.width).eval()
    mean, std = np.zeros(FEATURES, np.float32), np.ones(FEATURES, np.float32)
    lengths = np.array([network.frames])
    denoiser = TrainedMotionDenoiser(network, NoiseSchedule(STEPS), mean, std, lengths)
    return MDM(denoiser, encoder, Sampling(steps=steps, batch_size=batch))


def timed(run: Callable[[], object]) -> tuple[float, float]:
    """Seconds of the processor and of the clock."""
    before, begun = time.process_time(), time.perf_counter()
    run()
    return time.process_time() - before, time.perf_counter() - begun


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.diffusion_sampling",
        description=(__doc__ or "").split("\n")[0],
    )
    parser.add_argument("--clips", type=int, default=16)
    parser.add_argument("--frames", type=int, default=120)
    parser.add_argument("--size", default="mdm_small", help="a file of conf/motion_denoiser")
    parser.add_argument("--turns", type=int, default=3)
    words = parser.parse_args()
    config = compose_config(["method=mdm", "text_encoder.steps=1"])
    encoder = build(config.text_encoder)(CAPTIONS, 0, lambda line: None).eval()
    requests = [
        Request(str(n), TEXT_TO_MOTION, CAPTIONS[n % 64][0], words.frames)
        for n in range(words.clips)
    ]
    slow, fast = (method(words.size, encoder, *way) for way in ((STEPS, 1), (50, words.clips)))
    fast.generate(requests[:1], 0)
    found: dict[str, list[tuple[float, float]]] = {"slow": [], "fast": []}
    for _ in range(words.turns):
        seconds = timed(lambda: slow.generate(requests[:1], 0))
        found["slow"].append((seconds[0] * words.clips, seconds[1] * words.clips))
        found["fast"].append(timed(lambda: fast.generate(requests, 0)))
    medians = {name: np.median(values, axis=0) for name, values in found.items()}
    for name, (processor, clock) in medians.items():
        each = processor / words.clips, clock / words.clips
        print(
            f"{name}: a clip takes {each[0]:.3f} s of the processor, {each[1]:.3f} s by the clock"
        )
    ratio = medians["slow"] / medians["fast"]
    print(
        f"{words.clips} clips of {words.frames} frames, {words.size}: 50 steps in a batch are "
        f"{ratio[0]:.1f} times faster than {STEPS} one by one ({ratio[1]:.1f} by the clock)"
    )


if __name__ == "__main__":
    main()
