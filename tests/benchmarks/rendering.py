"""Seconds of the process that a film of 196 frames takes: `python -m tests.benchmarks.rendering`."""

import os
import tempfile
import time
from pathlib import Path

import numpy as np

from motiongpt import Motion
from motiongpt.data.synthetic import SyntheticSource

FRAMES, FPS, SIZE = 196, 20.0, 480


def main() -> None:
    """Print a row for each look, ffmpeg's seconds beside ours."""
    clips = SyntheticSource(clips=40, seed=1).clips()
    joints = next(np.asarray(one.joints) for one in clips if len(one.joints) >= FRAMES)[:FRAMES]
    motion = Motion.from_joints(joints.astype(np.float32), FPS)
    print(f"{FRAMES} frames, {FRAMES / FPS:.1f} s, {SIZE} px")
    with tempfile.TemporaryDirectory() as folder:
        for look in ("sticks", "mesh"):
            motion[:2].save(Path(folder, "first.mp4"), look=look)  # what is loaded once
            before, clock = os.times(), time.perf_counter()
            motion.save(Path(folder, "film.mp4"), look=look, size=SIZE)
            after, gone = os.times(), time.perf_counter() - clock
            own = after.user + after.system - before.user - before.system
            ffmpeg = sum(after[2:4]) - sum(before[2:4])
            print(f"{look}: {own:.1f} s of the process, {ffmpeg:.1f} s of ffmpeg, {gone:.1f} s")


if __name__ == "__main__":
    main()
