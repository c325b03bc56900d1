"""Judges on a GPU give what they give on a CPU, and the evaluate stage takes them there."""

import numpy as np
import pytest
import torch

from evaluation.evaluate_stage import _classifier
from evaluation.evaluators.action_classifier import ActionClassifier, Network
from motiongpt.data.build import build_store
from motiongpt.training.stage import StageContext
from tests.benchmarks.random_evaluator import random_evaluator
from tests.unit.fake_source import FakeSource, feature_clip

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(120)]
WORDS = ("a", "person", "walks")
APART = 1e-4  # of the largest number of an embedding


@pytest.fixture
def store(tmp_path):
    clips = [feature_clip(f"clip{i}", frames=40 + 13 * i, seed=i) for i in range(9)]
    return build_store(FakeSource(clips), tmp_path / "store", progress=False)


def test_embeddings_are_the_cpus(store, device):
    made = random_evaluator("t2m_published", store, WORDS)
    clips = [store.features(index) for index in range(len(store))]
    ways = [
        lambda: made.motion_embeddings(clips),
        lambda: made.motion_embeddings(clips, "released"),
        lambda: made.text_embeddings(["a person walks", "a person"]),
    ]
    here = [way() for way in ways]
    fingerprint = made.fingerprint
    made.networks.to(device)
    for way, expected in zip(ways, here, strict=True):
        np.testing.assert_allclose(way(), expected, atol=APART * np.abs(expected).max())
    assert fingerprint == made.fingerprint


def test_actions_are_the_cpus_where_evaluate_takes_them(store, gpu, tmp_path):
    torch.manual_seed(0)
    here = ActionClassifier(Network(263, 3, 8), ("a", "b", "c"), store.mean, store.std)
    folder = tmp_path / "run" / "classifier"
    folder.mkdir(parents=True)
    here.save(folder)
    parents = {"classifier": tmp_path / "run"}
    there = _classifier(StageContext("evaluate", "", tmp_path, parents, store, hardware=gpu))
    assert there.network.stem.weight.is_cuda and there.fingerprint == here.fingerprint
    clips = [store.features(index) for index in range(len(store))]
    np.testing.assert_allclose(there.probabilities(clips), here.probabilities(clips), atol=APART)
