"""Judges and codecs multiply in full float32 wherever they run, and run on the trainer's device."""

import numpy as np
import pytest
import torch

from evaluation import evaluate_stage
from evaluation.evaluators.action_classifier import ActionClassifier, Network
from evaluation.evaluators.t2m_evaluator import T2MEvaluator
from evaluation.evaluators.t2m_networks import T2MNetworks, T2MSizes
from evaluation.evaluators.word_vectors import END, START, UNKNOWN, WordVectors
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.full_float32 import full_float32
from motiongpt.training.stage import Hardware, StageContext
from tests.benchmarks.speed.motion import random_vq_vae
from tests.benchmarks.speed.part import Settings

F = 263


def tokenizer():
    network = random_vq_vae(Settings(size="tiny"))
    made = TrainedTokenizer(network, np.zeros(F, np.float32), np.ones(F, np.float32))
    return network, lambda: made.encode([np.zeros((16, F), np.float32)])


def classifier():
    network = Network(F, 2, 4)
    made = ActionClassifier(network, ("a", "b"), np.zeros(F), np.ones(F))
    return network, lambda: made.probabilities([np.zeros((16, F), np.float32)])


def evaluator(judged):
    networks = T2MNetworks(T2MSizes(F, 8, 8, 8, 8, 4, 8))
    marks = [UNKNOWN, *(mark.rpartition("/")[0] for mark in (START, END))]
    words = WordVectors(dict(zip(marks, range(3), strict=True)), np.zeros((3, 4), np.float32))
    made = T2MEvaluator(networks, np.zeros(F), np.ones(F), words)
    if judged == "motions":
        return networks.motion_encoder, lambda: made.motion_embeddings([np.zeros((16, F))])
    return networks.text_encoder, lambda: made.text_embeddings(["a word"])


MAKERS = {
    "tokenizer": tokenizer,
    "classifier": classifier,
    "motions": lambda: evaluator("motions"),
    "sentences": lambda: evaluator("sentences"),
}


@pytest.mark.parametrize("name", MAKERS)
def test_factors_keep_all_their_bits(name, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    network, run = MAKERS[name]()
    seen = []
    for part in network.modules():
        part.register_forward_hook(lambda *_: seen.append(torch.backends.cudnn.allow_tf32))
    run()
    assert seen and not any(seen), "TF32 is on while it computes"
    assert torch.backends.cudnn.allow_tf32, "and training has what it had"


@pytest.mark.parametrize("before", [True, False])
def test_what_was_set_is_set_again_after_an_error(before, monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", before)
    with pytest.raises(ValueError), full_float32():
        assert not torch.backends.cudnn.allow_tf32
        raise ValueError
    assert torch.backends.cudnn.allow_tf32 is before


@pytest.mark.parametrize(
    ("accelerator", "device"), [("gpu", "cuda:0"), ("auto", "cuda:0"), ("cpu", "cpu")]
)
def test_judges_of_evaluate_are_where_the_trainer_computes(
    accelerator, device, tmp_path, monkeypatch
):
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    parents = {name: tmp_path / name for name in ("evaluator", "classifier")}
    for name, folder in parents.items():
        (folder / name).mkdir(parents=True)
    hardware = Hardware(accelerator)
    context = StageContext("evaluate", "", tmp_path, parents, store=None, hardware=hardware)
    asked = []
    monkeypatch.setattr(
        evaluate_stage, "load_evaluator", lambda folder, device: asked.append(device)
    )
    monkeypatch.setattr(ActionClassifier, "load", lambda folder, device: asked.append(device))
    evaluate_stage.EvaluateStage._evaluator(None, context)
    evaluate_stage._classifier(context)
    assert list(map(str, asked)) == [device, device]
