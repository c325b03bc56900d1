"""Time another system's predictions, from files to numbers: as many clips as HumanML3D's test has.

    python -m tests.benchmarks.external_predictions [--clips 4384] [--replications 20]
        [--form joints|features] [--threads 2] [--folder FOLDER]

Makes a store of random walks and one file a clip, then understands, reads, checks and scores them with
every metric of motions and networks of real sizes. What `motiongpt score predictions` does besides,
starting and composing, is a few seconds. The processor's time says more than the clock's on a
machine that does other work too.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evaluation.case import Scorers
from evaluation.external.forms.base import Options
from evaluation.external.reading import read_all, understand
from evaluation.replications.embedder import Embedder
from evaluation.replications.rules import Rules
from evaluation.replications.scoring import Scoring
from evaluation.requests.predictions import About, PredictionSet
from launch.composition.build import build
from launch.composition.compose import compose_config
from motiongpt.data.store import MotionStore
from motiongpt.motion.recover import features_to_joints
from tests.benchmarks.random_evaluator import random_evaluator
from tests.benchmarks.scoring import WORDS, make_store


def write(form: str, folder: Path, store: MotionStore, about: About) -> None:
    """One file a clip: the real motions, with a little noise."""
    folder.mkdir()
    draw = np.random.default_rng(1)
    for name, index in zip(about.clips, store.indices("test"), strict=True):
        rows = store.features(int(index))
        if form == "joints":
            rows = features_to_joints(torch.from_numpy(rows), store.skeleton).numpy()
        noise = 0.001 * draw.normal(size=rows.shape)
        np.save(folder / f"{name}.npy", (rows + noise).astype(np.float32))


def timed(what: str, work: Callable[[], Any]) -> Any:
    """What `work` gives; says how long it took."""
    clock, processor = time.perf_counter(), time.process_time()
    found = work()
    print(
        f"{what}: {time.perf_counter() - clock:.1f} s by the clock, "
        f"{time.process_time() - processor:.1f} s of the processor",
        flush=True,
    )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.external_predictions")
    for name, default in {"clips": 4384, "replications": 20, "threads": 2}.items():
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--form", choices=("joints", "features"), default="joints")
    parser.add_argument("--folder", type=Path, help="for the files (default: a temporary one)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory(dir=options.folder) as name:
        folder = Path(name)
        store = make_store(folder / "store", options.clips, np.random.default_rng(0))
        indices = [int(index) for index in store.indices("test")]
        about = About(
            task="text_to_motion",
            kind="motion",
            fingerprint=store.fingerprint,
            clips=[store.names[index] for index in indices],
            frames=[int(store.lengths[index]) for index in indices],
            given=[(0, 0)] * len(indices),
            seeds=list(range(options.replications)),
        )
        write(options.form, folder / "system", store, about)
        external = timed(
            "understood", lambda: understand(folder / "system", about, store, Options())
        )
        timed("read", lambda: read_all(external, folder / "predictions"))
        scoring = Scoring(
            store=store,
            metrics={key: build(node) for key, node in compose_config().metrics.items()},
            rules=Rules(),
            replications=options.replications,
            seed=0,
            scorers=Scorers(store.skeleton, store.fps, {}, mean=store.mean),
            embedder=Embedder(
                random_evaluator("own", store, WORDS), Rules(), store.mean, folder / "cache", "data"
            ),
            folder=folder / "scores",
            log=lambda line: None,
        )
        made = PredictionSet.open(folder / "predictions")
        results = timed("scored", lambda: scoring.score(made).results)
    print(f"{options.clips} clips, {options.replications} replications, {len(results)} numbers")


if __name__ == "__main__":
    main()
