"""Time the scoring of saved predictions: as many clips and replications as HumanML3D's test has.

    python -m tests.benchmarks.scoring [--clips 4384] [--replications 20] [--sets 20]
        [--threads 2] [--evaluator own|t2m_published] [--folder FOLDER]

Makes a store of random walks and predictions of text to motion, other ones in each replication,
then scores them with every metric of motions. Networks have their real sizes and random weights,
which take as long as trained ones. `--sets 1` scores the same outputs in every replication,
as of a method that draws nothing. With fewer than 20 replications the time of 20 is projected: the
first one, which also judges real motion and all that stands beside the model, and 19 times the median
of the others. Disk: about 0.7 GB for each replication of 4,384 clips.

    python -m tests.benchmarks.scoring --evaluator t2m_published --replications 4 --sets 4
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from evaluation.case import Scorers
from evaluation.evaluators.base import Evaluator
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


def scoring_seconds(
    store: MotionStore,
    made: PredictionSet,
    evaluator: Evaluator,
    replications: int,
    folder: Path,
) -> list[float]:
    """Score with every metric of motions; seconds of each replication, nothing known before.

    The first one's also hold what is done once: real motion, chance rows, captions.
    """
    begun = time.perf_counter()
    ends: list[float] = []

    def log(line: str) -> None:
        ends.append(time.perf_counter() - begun)
        print(f"{line}  {ends[-1]:.1f} s", flush=True)

    rules = Rules()
    Scoring(
        store=store,
        metrics={key: build(node) for key, node in compose_config().metrics.items()},
        rules=rules,
        replications=replications,
        seed=0,
        scorers=Scorers(store.skeleton, store.fps, {}, mean=store.mean),
        embedder=Embedder(evaluator, rules, store.mean, folder / "cache", "data"),
        folder=folder / "scores",
        log=log,
    ).score(made)
    return [end - start for start, end in zip([0.0, *ends], ends, strict=False)]


def projected(seconds: Sequence[float], replications: int) -> float:
    """Seconds of so many replications, of which the first few are known."""
    rest = replications - len(seconds)
    return sum(seconds) + (rest * statistics.median(seconds[1:] or seconds) if rest > 0 else 0.0)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.scoring",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
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
        started = os.times()
        seconds = scoring_seconds(store, made, evaluator, options.replications, folder)
        ended = os.times()
    cores = ended.user + ended.system - started.user - started.system
    print(
        f"{options.clips} clips, {options.replications} replications of {options.sets} set(s), "
        f"evaluator {options.evaluator}, {options.threads} thread(s): {sum(seconds):.1f} s "
        f"({cores:.1f} s of a core); 20 replications {projected(seconds, 20):.1f} s; "
        f"load {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
