"""One batched call for all tasks, on a small untrained model."""

import numpy as np
import pytest
import torch
from hydra.utils import instantiate

from launch.composition.compose import compose_config
from motiongpt.backbones.t5 import T5Backbone
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.methods.motiongpt.generation.decoding import Decoding
from motiongpt.methods.motiongpt.generation.model import MotionLanguageModel, Request
from motiongpt.methods.motiongpt.tasks.clip_tokens import ClipTokens
from motiongpt.methods.motiongpt.tasks.query import Query
from motiongpt.methods.motiongpt.tasks.views import repeat_frame
from motiongpt.motion.features import joints_to_features
from motiongpt.motion.skeleton import HUMANML3D

CODES = 16


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    config = compose_config(
        [
            f"tokenizer.codebook_size={CODES}",
            "tokenizer.width=16",
            "tokenizer.code_dim=16",
            "tokenizer.depth=1",
        ]
    )
    tokenizer = instantiate(config.tokenizer)(n_features=263)
    tokenizer(torch.randn(4, 64, 263))  # fills the codebook
    trained = TrainedTokenizer(tokenizer, np.zeros(263), np.ones(263))
    backbone = T5Backbone.scratch(
        CODES,
        ["a person walks"],
        width=16,
        feed_forward_width=32,
        encoder_layers=1,
        decoder_layers=1,
        heads=2,
    )
    return MotionLanguageModel(trained, backbone)


@pytest.fixture(scope="module")
def tasks():
    return instantiate(compose_config([f"tokenizer.codebook_size={CODES}"]).tasks)


@pytest.fixture
def clip():
    codes = np.arange(12) % CODES
    return ClipTokens(
        "clip",
        48,
        20.0,
        4,
        ("a person walks",),
        {
            "whole": codes,
            "prediction_given": codes[:2],
            "inbetween_head": codes[:3],
            "inbetween_tail": codes[-3:],
        },
    )


def test_four_tasks_in_one_call(model, tasks, clip):
    requests = [Request(task, clip, tokens=task.reply_tokens(clip)) for task in tasks.values()]
    answers = dict(zip(tasks, model.answer(requests, Decoding(), seed=1), strict=True))
    assert "<motion_id" not in answers["motion_to_text"].text
    assert len(answers["motion_to_text"].codes) == 0
    for name in ("text_to_motion", "prediction", "inbetween"):
        assert len(answers[name].codes) == clip.tokens, name
    assert answers["prediction"].codes[:2].tolist() == [0, 1]
    ends = answers["inbetween"].codes[[0, 1, 2, -3, -2, -1]].tolist()
    assert ends == [0, 1, 2, 9, 10, 11]
    motions = model.motions(list(answers.values()))
    assert [motion.shape for motion in motions] == [(48, 263), (0, 263), (48, 263), (48, 263)]
    again = model.answer(requests, Decoding(), seed=1)
    assert [a.reply for a in again] == [a.reply for a in answers.values()]


def test_a_motion_ends_by_itself_within_the_limit(model, tasks):
    query = Query(20.0, 4, text="a person walks")
    (answer,) = model.answer(
        [Request(tasks["text_to_motion"], query)], Decoding(max_motion_tokens=5), 0
    )
    assert 1 <= len(answer.codes) <= 5 and ((answer.codes >= 0) & (answer.codes < CODES)).all()


def test_in_between_from_a_first_and_a_last_frame(model, tasks):
    poses = HUMANML3D.offsets().numpy().copy()
    for joint, parent in enumerate(HUMANML3D.parents):
        if parent >= 0:
            poses[joint] += poses[parent]
    windows = []
    for pose in (poses, poses + [0.0, 0.0, 1.0]):
        held = repeat_frame(pose.astype(np.float32), tokens=2, frames_per_token=4, extra_frames=1)
        windows.append(joints_to_features(torch.from_numpy(held), HUMANML3D).numpy())
    start, end = model.tokenizer.encode(windows)
    assert len(start) == len(end) == 2
    query = Query(20.0, 4, frames=40, start=start, end=end)
    (answer,) = model.answer([Request(tasks["inbetween"], query, tokens=10)], Decoding(), 0)
    assert len(answer.codes) == 10
    assert (
        answer.codes[:2].tolist() == start.tolist() and answer.codes[-2:].tolist() == end.tolist()
    )
    assert model.motions([answer])[0].shape == (40, 263)
