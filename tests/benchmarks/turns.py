"""How much of a body's turns and way a codec keeps: what root-aligned errors don't see.

    python -m tests.benchmarks.turns outputs                # each tokenizer's run below the root

Of the test split's first clips, encoded and decoded: how far the heading at the end is off, which
share of their turn those lose that turn, and how far the root ends from where it should.

Shape letters: T frames, J joints.
"""

import argparse
from pathlib import Path

import numpy as np
import torch

from motiongpt.codecs.loading import load_codec
from motiongpt.data.store import MotionStore
from motiongpt.motion.recover import features_to_joints

CLIPS, TURNED = 300, 60.0  # degrees from which a clip counts as one that turns


def main() -> None:
    """Print a line for each run, the oldest first."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("root", type=Path, help="of finished runs")
    parser.add_argument("--stage", default="tokenizer", help="whose codec; default: tokenizer")
    parser.add_argument("--clips", type=int, default=CLIPS, help=f"default: {CLIPS}")
    options = parser.parse_args()
    (found,) = (options.root / "data").glob("*/store.json")
    store = MotionStore.open(found.parent)
    clips = [np.array(store.features(int(i))) for i in store.indices("test")[: options.clips]]
    for run in sorted((options.root / "runs" / options.stage).iterdir(), key=lambda one: one.name):
        codec = load_codec(run / "model", "cpu")
        made = codec.reconstruct(clips)
        print(f"{run.name}: {told(clips, made, store)}", flush=True)


def told(clips: list[np.ndarray], made: list[np.ndarray], store: MotionStore) -> str:
    """The three numbers in words, and the root-aligned error beside them."""
    errors, lost, ends, aligned = [], [], [], []
    for clip, other in zip(clips, made, strict=True):
        frames = min(len(clip), len(other))
        real, ours = (
            features_to_joints(torch.from_numpy(one[:frames]), store.skeleton).numpy()
            for one in (clip, other)
        )
        turn, kept = turned(real), turned(ours)
        errors.append(abs(turn - kept))
        if abs(turn) > TURNED:
            lost.append(abs(turn - kept) / abs(turn))
        ends.append(np.linalg.norm(real[-1, 0] - ours[-1, 0]))
        centred = [one - one[:, :1] for one in (real, ours)]
        aligned.append(1000 * np.linalg.norm(centred[0] - centred[1], axis=-1).mean())
    return (
        f"heading off by {np.mean(errors):.1f} degrees, {len(lost)} clips that turn lose "
        f"{100 * np.mean(lost):.0f} % of it, the root ends {np.mean(ends):.3f} m away; "
        f"MPJPE {np.mean(aligned):.1f} mm"
    )


def turned(joints: np.ndarray) -> float:
    """Degrees about Y from the first to the last of joints (T, J, 3), by the line of the hips."""
    hips = joints[:, 1] - joints[:, 2]
    angles = np.unwrap(np.arctan2(-hips[:, 2], hips[:, 0]))
    return float(np.degrees(angles[-1] - angles[0]))


if __name__ == "__main__":
    main()
