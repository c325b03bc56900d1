"""MDM as a method: what is asked, what is given, who decides, and what is refused."""

import dataclasses
import json
import math

import numpy as np
import pytest
import torch

from motiongpt.errors import UserError
from motiongpt.methods.base import (
    INBETWEEN,
    MOTION_TO_TEXT,
    PREDICTION,
    TEXT_TO_MOTION,
    MotionFormat,
    Request,
)
from motiongpt.methods.mdm.folder import TrainedMotionDenoiser
from motiongpt.methods.mdm.method import MDM
from motiongpt.motion.anchor import root_path
from motiongpt.motion.skeleton import HUMANML3D
from tests.unit.mdm_parts import LONGEST, STEPS, F, small_denoiser, small_method

FORMAT = MotionFormat(20.0, HUMANML3D)
GIVEN = np.random.default_rng(5).normal(size=(40, F)).astype(np.float32)
REQUESTS = [
    Request("a", TEXT_TO_MOTION, "a person walks", 30),
    Request("b", TEXT_TO_MOTION, "a person jumps", 11),
    Request("c", TEXT_TO_MOTION, "a person walks", LONGEST),
    Request("d", TEXT_TO_MOTION, "", None),
    Request("e", TEXT_TO_MOTION, "a person sits", 1),
    Request("f", PREDICTION, None, 25, start=GIVEN[:5]),
    Request("g", INBETWEEN, "a person turns", 40, start=GIVEN[:10], end=GIVEN[30:]),
]
KINDS = [
    {},
    {"hide_padding": False},
    {"kind": "decoder"},
    {"kind": "decoder", "step_token": True},
    {"kind": "decoder", "words": True},
]


def motions(method: MDM, requests=REQUESTS, seed: int = 3) -> list[np.ndarray]:
    return [output.motion for output in method.generate(requests, seed)]


def test_motions_are_as_long_as_asked_and_differ_by_words():
    found = motions(small_method())
    assert [len(one) for one in found] == [30, 11, LONGEST, len(found[3]), 1, 25, 40]
    assert all(one.dtype == np.float32 and one.shape[1] == F for one in found)
    assert np.isfinite(np.concatenate(found)).all()
    same = dataclasses.replace(REQUESTS[0], text="a person hops")
    (other,) = motions(small_method(), [same])
    assert np.abs(found[0] - other).max() > 1e-2


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_the_seed_decides_and_the_batch_does_not(kind):
    method = small_method(small_denoiser(**kind))
    together, again, others = motions(method), motions(method), motions(method, seed=4)
    for first, second, other in zip(together, again, others, strict=True):
        np.testing.assert_array_equal(first, second)
        assert len(first) != len(other) or np.abs(first - other).max() > 1e-3
    pairs = motions(small_method(small_denoiser(**kind), batch_size=2), REQUESTS[::-1])[::-1]
    for request, expected, portion in zip(REQUESTS, together, pairs, strict=True):
        (alone,) = motions(method, [request])
        np.testing.assert_allclose(alone, expected, atol=2e-4)
        np.testing.assert_allclose(portion, expected, atol=2e-4)


def test_samples_of_the_same_words_differ():
    requests = [dataclasses.replace(REQUESTS[0], sample=sample) for sample in range(2)]
    first, second = motions(small_method(), requests)
    assert np.abs(first - second).max() > 1e-3


def test_what_is_given_stays_as_it_is_and_changes_the_rest():
    prediction, between = motions(small_method(), REQUESTS[5:])
    np.testing.assert_array_equal(prediction[:5], GIVEN[:5])
    np.testing.assert_array_equal(between[:10], GIVEN[:10])
    np.testing.assert_array_equal(between[30:], GIVEN[30:])
    other = dataclasses.replace(REQUESTS[5], start=GIVEN[20:25])
    (changed,) = motions(small_method(), [other])
    assert np.abs(changed[5:] - prediction[5:]).max() > 1e-3
    (whole,) = motions(small_method(), [Request("w", PREDICTION, None, 40, start=GIVEN)])
    np.testing.assert_array_equal(whole, GIVEN)


def test_without_words_there_is_no_guidance():
    asked = [REQUESTS[5]]
    for scale in (0.0, 7.0):
        np.testing.assert_array_equal(
            motions(small_method(guidance=scale), asked)[0], motions(small_method(), asked)[0]
        )


def test_the_root_is_led_to_where_the_end_stands():
    calm = (0.01 * GIVEN).astype(np.float32)
    where = np.array([0.7, 1.5], np.float32)
    request = Request("g", INBETWEEN, None, 40, start=calm[:10], end=calm[30:])
    placed = dataclasses.replace(request, place=where, heading=0.3)
    (motion,) = motions(small_method(), [placed])
    heading, position = root_path(torch.from_numpy(motion).double())
    np.testing.assert_allclose(position[30, 0::2], where, atol=1e-3)
    assert math.cos(2 * (float(heading[30]) - 0.3)) == pytest.approx(1, abs=1e-5)
    np.testing.assert_array_equal(motion[:10], calm[:10])


def test_guidance_and_steps_change_what_they_should():
    (usual,) = motions(small_method(), REQUESTS[:1])
    for changes in ({"guidance": 1.0}, {"guidance": 0.0}, {"steps": 4}, {"steps": None}):
        (other,) = motions(small_method(**changes), REQUESTS[:1])
        assert np.abs(usual - other).max() > 1e-3, changes
    assert len(small_method(steps=None).chain) == STEPS


def test_without_a_length_one_of_training_is_drawn_by_the_requests_stream():
    method = small_method()
    requests = [Request(str(n), TEXT_TO_MOTION, "walk", None) for n in range(40)]
    lengths = [len(motion) for motion in motions(method, requests)]
    assert set(lengths) == {9, 20, 31, 44}
    assert lengths == [len(motion) for motion in motions(method, requests[::-1])][::-1]
    assert {len(m) for m in motions(small_method(length=17), requests[:3])} == {17}
    capped = [dataclasses.replace(one, max_frames=15) for one in requests]
    assert {len(m) for m in motions(method, capped)} == {9, 15}
    ahead = [Request(str(n), PREDICTION, None, start=GIVEN[:20]) for n in range(20)]
    assert {len(m) for m in motions(method, ahead)} == {31, 44}


@pytest.mark.parametrize(
    ("request_", "named"),
    [
        (Request("x", MOTION_TO_TEXT), "cannot do motion_to_text; it can: text_to_motion, pre"),
        (Request("x", TEXT_TO_MOTION, None, 20), "clip x: text_to_motion needs a text"),
        (Request("x", TEXT_TO_MOTION, "walk", LONGEST + 1), "clip x: 61 frames asked for"),
        (Request("x", TEXT_TO_MOTION, "walk", 0), "clip x: 0 frames asked for"),
        (Request("x", PREDICTION, None, 20), "prediction of x: no frames are given"),
        (Request("x", PREDICTION, None, 3, start=GIVEN[:5]), "3 frames, of which 5 given"),
        (Request("x", INBETWEEN, None, None, end=GIVEN[:5]), "say how many frames it all has"),
        (Request("x", PREDICTION, None, 20, start=GIVEN[:5, :9]), r"start of shape \(5, 9\)"),
        (Request("x", PREDICTION, None, 20, start=GIVEN[:5] * np.nan), "finite features"),
    ],
)
def test_what_it_cannot_do_is_refused_by_name(request_, named):
    with pytest.raises(UserError, match=named) as caught:
        small_method().generate([request_], 0)
    assert "\n" not in str(caught.value)


def test_nothing_asked_is_nothing_given():
    assert small_method().generate([], 0) == []


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"steps": 0}, "steps=0; choose 1 or more"),
        ({"steps": -2}, "steps=-2"),
        ({"steps": 2.5}, "steps=2.5"),
        ({"steps": 51, "trained_steps": 50}, "steps=51; choose 1 to 50, those that are trained"),
        ({"guidance": math.nan}, "guidance=nan; expected a finite number"),
        ({"length": "long"}, "length=long"),
        ({"length": 0}, "length=0"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"temperature": 1}, "no option temperature; it has: steps, guidance, length"),
    ],
)
def test_sampling_that_makes_no_sense_is_said_before_anything_is_trained(options, named):
    with pytest.raises(UserError, match=named):
        MDM.foresee(**options)


def test_more_steps_than_the_opened_denoiser_has_are_refused():
    with pytest.raises(UserError, match="steps=21; choose 1 to 20"):
        small_method(steps=21)


def test_parts_of_different_trainings_are_refused():
    with pytest.raises(UserError, match="texts of 10 numbers, the text encoder has 12"):
        small_method(small_denoiser(text_width=10))


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_saved_denoiser_is_the_same(kind, tmp_path):
    trained = small_method(small_denoiser(**kind)).denoiser
    trained.save(tmp_path)
    again = TrainedMotionDenoiser.load(tmp_path)
    for name, tensor in trained.network.state_dict().items():
        assert torch.equal(again.network.state_dict()[name], tensor), name
    for name in ("mean", "std", "lengths"):
        np.testing.assert_array_equal(getattr(again, name), getattr(trained, name))
    assert again.schedule.arguments() == {"steps": STEPS, "kind": "cosine"}
    assert again.network.arguments() == trained.network.arguments()
    assert not again.network.training


def test_a_damaged_denoiser_is_named(tmp_path):
    trained = small_method().denoiser
    with pytest.raises(UserError, match="no such file"):
        TrainedMotionDenoiser.load(tmp_path / "nowhere")
    for name, wrong, said in (
        ("lengths.npy", np.array([0.5]), "lengths.npy: expected frames"),
        ("mean.npy", np.zeros(9, np.float32), "mean.npy: expected 263 finite numbers"),
        ("std.npy", np.zeros(F, np.float32), "std.npy: feature 0 is not > 0"),
    ):
        trained.save(tmp_path)
        np.save(tmp_path / name, wrong)
        with pytest.raises(UserError, match=said):
            TrainedMotionDenoiser.load(tmp_path)
    trained.save(tmp_path)
    described = json.loads((tmp_path / "denoiser.json").read_text())
    for changes, said in (
        ({"method": "mld"}, "of method mld, format 1; expected mdm, 1"),
        ({"arguments": described["arguments"] | {"kind": "loop"}}, "kind=loop; choose one of"),
        ({"arguments": described["arguments"] | {"width": 32}}, "expected shape"),
        ({"noise": {"steps": 0}}, "steps=0; expected"),
    ):
        (tmp_path / "denoiser.json").write_text(json.dumps(described | changes))
        with pytest.raises(UserError, match=said):
            TrainedMotionDenoiser.load(tmp_path)
