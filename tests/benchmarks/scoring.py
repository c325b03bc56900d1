"""Time the scoring of saved predictions: as many clips and replications as HumanML3D's test has.

    python -m tests.benchmarks.scoring [--clips 4384] [--replications 20] [--sets 20]
        [--threads 2] [--evaluator own|t2m_published] [--folder FOLDER]

Makes a store of random walks and predictions of text to motion, other ones in each replication,
then scores them with every metric of motions. Networks have their real sizes and random weights,
which take as long as trained ones. `--sets 1` scores the same outputs in every replication,
as of a method that draws nothing. Disk: about 0.7 GB for each replication of 4,384 clips.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from evaluation.case import Scorers
from evaluation.replications.embedder import Embedder
from evaluation.replications.rules import Rules
from evaluation.replications.scoring import Scoring
from evaluation.requests.predictions import About, Outputs, PredictionSet
from launch.composition.build import build
from launch.composition.compose import compose_config
from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption, Clip
from motiongpt.data.store import MotionStore
from motiongpt.motion.features import joints_to_features
from tests.benchmarks.random_evaluator import random_evaluator
from tests.benchmarks.speed.motion import moving_clips
from tests.unit.fake_source import FakeSource

LENGTHS = (40, 197)  # frames of HumanML3D's clips
WORDS = ("a", "person", "walks", "runs", "turns", "slowly", "left", "and", "jumps", "waves")


def make_store(folder: Path, count: int, draw: np.random.Generator) -> MotionStore:
    """A store of `count` clips that walk on curves, with three captions each."""
    features: list[np.ndarray] = []
    for first in range(0, count, 64):
        joints = moving_clips(min(64, count - first), LENGTHS[1], FakeSource(()).skeleton, first)
        features += list(joints_to_features(joints, FakeSource(()).skeleton).numpy())
    clips = [
        Clip(
            f"clip{index}",
            "test" if index else "train",
            tuple(Caption(" ".join(draw.choice(WORDS, 12))) for _ in range(3)),
            features=one[: int(draw.integers(*LENGTHS))],
        )
        for index, one in enumerate([features[0], *features])
    ]
    return build_store(FakeSource(clips), folder, progress=False)


def make_predictions(
    folder: Path, store: MotionStore, replications: int, draw: np.random.Generator
) -> PredictionSet:
    """Real motions with noise of their own in each replication."""
    indices = [int(index) for index in store.indices("test")]
    about = About(
        task="text_to_motion",
        kind="motion",
        fingerprint=store.fingerprint,
        clips=[store.names[index] for index in indices],
        frames=[int(store.lengths[index]) for index in indices],
        given=[(0, 0)] * len(indices),
        seeds=list(range(replications)),
    )
    made = PredictionSet.create(folder / "text_to_motion", about)
    empty = [""] * len(indices)
    for number in range(replications):
        motions = [
            store.features(index) * np.float32(1 + 0.1 * draw.standard_normal())
            for index in indices
        ]
        made.write(number, Outputs([0] * len(indices), empty, empty, motions))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.scoring")
    defaults = {"clips": 4384, "replications": 20, "sets": 20, "threads": 2}
    for name, default in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--evaluator", choices=("own", "t2m_published"), default="own")
    parser.add_argument("--folder", type=Path, help="for the files (default: a temporary one)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    draw = np.random.default_rng(0)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        begun = time.perf_counter()
        store = make_store(folder / "store", options.clips, draw)
        made = make_predictions(folder / "predictions", store, options.sets, draw)
        print(f"made the files in {time.perf_counter() - begun:.0f} s", flush=True)
        evaluator = random_evaluator(options.evaluator, store, WORDS)
        metrics = {key: build(node) for key, node in compose_config().metrics.items()}
        scoring = Scoring(
            store=store,
            metrics=metrics,
            rules=Rules(),
            replications=options.replications,
            seed=0,
            scorers=Scorers(store.skeleton, store.fps, {}, mean=store.mean),
            embedder=Embedder(evaluator, Rules(), store.mean, folder / "cache", "data"),
            folder=folder / "scores",
            log=lambda line: print(line, flush=True),
        )
        start = time.perf_counter()
        results = scoring.score(made).results
        seconds = time.perf_counter() - start
    print(
        f"{options.clips} clips, {options.replications} replications of {options.sets} set(s), "
        f"evaluator {options.evaluator}, {options.threads} thread(s): {seconds:.1f} s, {len(results)} numbers"
    )


if __name__ == "__main__":
    main()
