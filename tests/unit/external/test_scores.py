"""The same motion, brought in every form, scores the same within what the form loses."""

import importlib
from functools import partial

import pytest

from evaluation.case import Scorers
from evaluation.external.choice import known_forms
from evaluation.metrics.fid import FrechetDistance
from evaluation.metrics.floor_contact import FootSliding
from evaluation.metrics.jitter import Jitter
from evaluation.metrics.retrieval import Retrieval
from evaluation.replications.embedder import Embedder
from evaluation.replications.results import MODEL, REAL
from evaluation.replications.rules import Rules
from evaluation.replications.scoring import Scoring
from tests.benchmarks.random_evaluator import random_evaluator
from tests.forms.motions import WORDS, Bench
from tests.unit.external.parts import read

METRICS = {
    "retrieval": partial(Retrieval, pool=16),
    "fid": FrechetDistance,
    "sliding": FootSliding,
    "jitter": Jitter,
}
# Of the value for features as they are. Three things are lost: joints are float32 sums along time
# (under 0.2 mm); the last row's velocities, which only the frame after it knows, go on as before;
# and in BVH up to 3 mm, which a third derivative such as jitter feels most.
TOLERANCE = {"mm_dist": 0.01, "foot_sliding": 0.05, "jitter": 0.05}
BVH = {"mm_dist": 0.03, "foot_sliding": 0.3, "jitter": 0.5}


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("bench"), count=16, frames=44)


@pytest.fixture(scope="module")
def score(bench):
    evaluator = random_evaluator("own", bench.store, WORDS)

    def scored(saved, folder):
        store = bench.store
        scoring = Scoring(
            store=store,
            metrics={name: make() for name, make in METRICS.items()},
            rules=Rules(),
            replications=1,
            seed=0,
            scorers=Scorers(store.skeleton, store.fps, {}, mean=store.mean),
            embedder=Embedder(evaluator, Rules(), store.mean),
            folder=folder,
            log=lambda line: None,
        )
        found = scoring.score(saved)
        assert not found.left_out
        return {(one.row, one.metric): one.value for one in found.results}

    return scored


@pytest.mark.parametrize("name", sorted(known_forms()))
def test_a_motion_scores_the_same_in_every_form(name, bench, score, tmp_path):
    writer = importlib.import_module(f"tests.forms.{name}")
    motions = tmp_path / "motions"
    motions.mkdir()
    for clip in bench.names:
        writer.write(motions, clip, bench)
    options = {
        option: value(tmp_path / option) if callable(value) else value
        for option, value in writer.OPTIONS.items()
    }
    _, saved = read(motions, bench, tmp_path, **options)
    found = score(saved, tmp_path / "scores")
    if name == "features":
        for metric in ("r_top1", "mm_dist", "fid", "foot_sliding", "jitter"):
            assert found[MODEL, metric] == found[REAL, metric], metric
        return
    tolerances = BVH if name == "bvh" else TOLERANCE
    off = {metric: abs(found[MODEL, metric] / found[REAL, metric] - 1) for metric in tolerances}
    assert all(off[metric] <= most for metric, most in tolerances.items()), off
    assert found[MODEL, "fid"] < 0.02 * found["shuffled in time", "fid"]
    assert abs(found[MODEL, "r_top1"] - found[REAL, "r_top1"]) <= 1 / 16
