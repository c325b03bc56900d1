"""What an interrupted scoring has kept is used for the same scoring only."""

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from evaluation.evaluate_stage import EvaluateStage
from evaluation.evaluators.action_classifier import ActionClassifier, Network
from evaluation.requests.predictions import About, Outputs, PredictionSet
from motiongpt.data.build import build_store
from motiongpt.training.stage import StageContext
from tests.unit.fake_source import FakeSource, feature_clip

CLIPS = 3
PROTOCOL = {"name": "ours", "split": "test", "clips": None, "replications": 1, "scoring": {}}
METRICS = {"action_accuracy": {"_target_": "evaluation.metrics.actions.ActionAccuracy"}}


@pytest.fixture
def store(tmp_path):
    clips = [feature_clip("train", frames=40, labels=("walk",))]
    clips += [
        feature_clip(f"clip{i}", "test", frames=40, seed=i, labels=("walk",)) for i in range(CLIPS)
    ]
    words = {"walk": ("walk",), "run": ("run",)}
    return build_store(FakeSource(clips, action_words=words), tmp_path / "store", progress=False)


@pytest.fixture
def parents(tmp_path, store):
    """A run of generate, and one of a classifier that sees nothing yet."""
    about = About(
        task="text_to_motion",
        kind="motion",
        fingerprint=store.fingerprint,
        clips=[f"clip{i}" for i in range(CLIPS)],
        frames=[40] * CLIPS,
        given=[(0, 0)] * CLIPS,
        seeds=[0],
    )
    made = PredictionSet.create(tmp_path / "generate" / "predictions" / "text_to_motion", about)
    motions = [np.zeros((40, 263), np.float32)] * CLIPS
    made.write(0, Outputs([0] * CLIPS, [""] * CLIPS, [""] * CLIPS, motions))
    return {name: tmp_path / name for name in ("generate", "classifier")}


def classifier_that_sees(label, folder):
    network = Network(263, 2, 4)
    for parameter in network.parameters():
        torch.nn.init.zeros_(parameter)
    torch.nn.init.constant_(network.whole.bias, -5.0)
    network.whole.bias.data[("walk", "run").index(label)] = 5.0
    found = ActionClassifier(network, ("walk", "run"), np.zeros(263), np.ones(263))
    folder.mkdir(parents=True, exist_ok=True)
    found.save(folder)
    return found


def accuracy(store, parents, folder, signature="signed"):
    stage = EvaluateStage(
        protocol=OmegaConf.create(PROTOCOL),
        metrics=OmegaConf.create(METRICS),
        captions=OmegaConf.create({}),
        method="m",
        facts=OmegaConf.create({}),
        data="d",
        group="g",
        pictures=0,
        seed=0,
    )
    context = StageContext("evaluate", signature, folder, parents, store, log=lambda line: None)
    return stage.run(context)["text_to_motion/model/action_accuracy"]


def test_another_classifier_judges_anew(store, parents, tmp_path):
    output = tmp_path / "scores"
    for label, right in (("walk", 100.0), ("run", 0.0), ("walk", 100.0)):
        classifier_that_sees(label, parents["classifier"] / "classifier")
        assert accuracy(store, parents, output) == right
    assert len(list((output / "replications").iterdir())) == 2, "the first one's were found again"


def test_another_signature_judges_anew(store, parents, tmp_path):
    classifier_that_sees("walk", parents["classifier"] / "classifier")
    for signature in ("of a version", "of another version", "of a version"):
        accuracy(store, parents, tmp_path / "scores", signature)
    assert len(list((tmp_path / "scores" / "replications").iterdir())) == 2


def test_a_classifiers_fingerprint_is_of_all_that_it_judges_by(tmp_path):
    one, same = (classifier_that_sees("walk", tmp_path / name) for name in ("one", "same"))
    assert (
        one.fingerprint == same.fingerprint == ActionClassifier.load(tmp_path / "one").fingerprint
    )
    same.mean[0] = 1.0
    other = classifier_that_sees("run", tmp_path / "other")
    assert len({one.fingerprint, same.fingerprint, other.fingerprint}) == 3
