"""Time the features of many clips, batched, against one clip at a time.

    python -m tests.benchmarks.features [--clips 64] [--frames 196] [--runs 7] [--threads 1]

Both sides take turns in one process on the same clips, and must agree. Prints the medians.
"""

import argparse
import statistics
import time

import numpy as np
import torch
from torch import Tensor

from motiongpt.motion.features import joints_to_features
from motiongpt.motion.rotations import turn_about_y
from motiongpt.motion.skeleton import HUMANML3D, Skeleton
from tests.benchmarks.one_clip_at_a_time import features_of_clip

TOLERANCE = 2e-5
N_CONTACTS = 4


def moving_clips(n_clips: int, n_frames: int, skeleton: Skeleton, seed: int = 0) -> Tensor:
    """Joints (B, T, J, 3) float32: a body that walks on curves, every joint swaying smoothly."""
    random = torch.Generator().manual_seed(seed)
    rest = torch.zeros(skeleton.n_joints, 3)
    for joint, parent in enumerate(skeleton.parents[1:], start=1):
        rest[joint] = rest[parent] + skeleton.offsets()[joint]
    seconds = torch.arange(n_frames)[:, None, None] / skeleton.fps
    shape = (n_clips, 1, skeleton.n_joints, 3)
    pace = 1 + 4 * torch.rand(shape, generator=random)
    phase = 6.28 * torch.rand(shape, generator=random)
    joints = rest + 0.03 * torch.sin(pace * seconds + phase)
    angle = 0.5 * torch.rand(n_clips, 1, 1, generator=random) * seconds[..., 0]
    nought = torch.zeros_like(angle)
    heading = torch.stack(((angle / 2).cos(), nought, (angle / 2).sin(), nought), dim=-1)
    path = torch.stack((angle.sin(), nought, angle.cos() + seconds[..., 0]), dim=-1)
    return turn_about_y(heading, joints) + path


def seconds_of(work, *arguments) -> tuple[float, object]:
    start = time.perf_counter()
    result = work(*arguments)
    return time.perf_counter() - start, result


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.features")
    for name, default in (("clips", 64), ("frames", 196), ("runs", 7), ("threads", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    skeleton = HUMANML3D
    joints = moving_clips(options.clips, options.frames, skeleton)
    clips, offsets = joints.numpy(), skeleton.offsets().numpy()

    def one_by_one() -> list[np.ndarray]:
        return [features_of_clip(clip, skeleton, offsets) for clip in clips]

    times: dict[str, list[float]] = {"batched": [], "one at a time": []}
    for run in range(options.runs + 1):
        batched_s, ours = seconds_of(joints_to_features, joints, skeleton)
        single_s, theirs = seconds_of(one_by_one)
        if run:  # the first run warms up
            times["batched"].append(batched_s)
            times["one at a time"].append(single_s)
    difference = np.abs(ours.numpy() - np.stack(theirs))
    assert difference[..., :-N_CONTACTS].max() <= TOLERANCE, difference.max()
    assert not difference[..., -N_CONTACTS:].any(), "contacts differ"

    medians = {name: statistics.median(values) for name, values in times.items()}
    print(
        f"{options.clips} clips x {options.frames} frames, {options.threads} thread(s), median of {options.runs}"
    )
    for name, median in medians.items():
        print(f"{name:14} {1000 * median:9.1f} ms  {1000 * median / options.clips:7.3f} ms a clip")
    print(f"ratio          {medians['one at a time'] / medians['batched']:9.1f}")
    print(f"largest difference {difference.max():.1e}")


if __name__ == "__main__":
    main()
