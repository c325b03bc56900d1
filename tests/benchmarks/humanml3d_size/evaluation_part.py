"""Scoring what was generated: 20 replications, other outputs in each, the published evaluator's sizes."""

import shutil

import numpy as np

from motiongpt.data.store import MotionStore
from tests.benchmarks.humanml3d_size.part import Found, Part, Place
from tests.benchmarks.humanml3d_size.simulation import VERBS
from tests.benchmarks.random_evaluator import random_evaluator
from tests.benchmarks.scoring import make_predictions, projected, scoring_seconds

MEASURED, REPLICATIONS = 3, 20


def evaluate(place: Place) -> Found:
    """All metrics of motions of text to motion, for every clip of the test split."""
    folder = place.folder / "evaluation"
    shutil.rmtree(folder, ignore_errors=True)
    store = MotionStore.open(place.store)
    made = make_predictions(folder / "predictions", store, MEASURED, np.random.default_rng(0))
    evaluator = random_evaluator("t2m_published", store, VERBS)
    seconds = scoring_seconds(store, made, evaluator, MEASURED, folder)
    shutil.rmtree(folder)
    each = (sum(seconds) - seconds[0]) / (MEASURED - 1)
    fixed = projected(seconds, REPLICATIONS) - REPLICATIONS * each  # what the first one does beside
    return Found(sum(seconds), MEASURED, REPLICATIONS, fixed=fixed)


PARTS = (
    Part(
        "evaluate", "20 replications scored, published evaluator's sizes", "replications", evaluate
    ),
)
