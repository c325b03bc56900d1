"""An evaluator of real size with random weights: as slow as a trained one."""

from collections.abc import Sequence

import numpy as np
import torch

from evaluation.evaluators.t2m_evaluator import T2MEvaluator
from evaluation.evaluators.t2m_networks import T2MNetworks, T2MSizes
from evaluation.evaluators.word_vectors import END, START, UNKNOWN, WordVectors
from launch.composition.compose import compose_config
from motiongpt.data.store import MotionStore


def random_evaluator(name: str, store: MotionStore, words: Sequence[str]) -> T2MEvaluator:
    """Networks of the sizes of conf/evaluator/NAME.yaml, for the features of `store`."""
    torch.manual_seed(0)
    sizes = T2MSizes(
        n_features=store.n_features, **compose_config([f"evaluator={name}"]).evaluator.sizes
    )
    marks = [mark.rpartition("/")[0] for mark in (START, END)]
    names = [UNKNOWN, *marks, *words]
    vectors = np.random.default_rng(0).normal(size=(len(names), sizes.word)).astype(np.float32)
    return T2MEvaluator(
        T2MNetworks(sizes),
        store.mean,
        store.std,
        WordVectors({word: index for index, word in enumerate(names)}, vectors),
        about={"name": name},
    )
