import dataclasses
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
    Request,
)
from motiongpt.methods.momask.folder import load_network, save_network
from motiongpt.methods.momask.length import LengthEstimator
from motiongpt.methods.momask.masked import MaskedTransformer
from motiongpt.methods.momask.method import MoMask, Sampling
from motiongpt.methods.momask.residual import ResidualTransformer
from tests.unit.fake_text_encoder import FakeTextEncoder
from tests.unit.momask_parts import (
    FORMAT,
    TOKENS,
    small_codec,
    small_length,
    small_masked,
    small_method,
    small_residual,
)

LONGEST = 4 * TOKENS


def given(frames: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (0.1 * rng.standard_normal((frames, 263))).astype(np.float32)


REQUESTS = [
    Request("a", TEXT_TO_MOTION, "a person walks", 30),
    Request("b", TEXT_TO_MOTION, "a person jumps", 11),
    Request("c", PREDICTION, None, 50, start=given(13)),
    Request("d", INBETWEEN, None, LONGEST, start=given(18), end=given(15, 1)),
    Request("e", TEXT_TO_MOTION, "", None),
    Request("f", TEXT_TO_MOTION, "a person sits", 1),
    Request("g", INBETWEEN, "a person turns", 40, start=given(10), end=given(10, 1)),
]


def motions(method: MoMask, requests=REQUESTS, seed: int = 3) -> list[np.ndarray]:
    return [output.motion for output in method.generate(requests, seed)]


def test_motions_are_as_long_as_asked_and_given_frames_stay():
    found = motions(small_method())
    lengths = [len(motion) for motion in found]
    assert lengths[:4] == [30, 11, 50, LONGEST] and lengths[5:] == [1, 40]
    assert 4 <= lengths[4] <= LONGEST and lengths[4] % 4 == 0
    assert all(motion.dtype == np.float32 and motion.shape[1] == 263 for motion in found)
    np.testing.assert_array_equal(found[2][:13], REQUESTS[2].start)
    np.testing.assert_array_equal(found[3][:18], REQUESTS[3].start)
    np.testing.assert_array_equal(found[3][-15:], REQUESTS[3].end)
    assert np.abs(found[0][:11] - found[1]).max() > 1e-3


def test_the_seed_decides_and_the_batch_does_not():
    method = small_method()
    together, again, others = motions(method), motions(method), motions(method, seed=4)
    for first, second, other in zip(together, again, others, strict=True):
        np.testing.assert_array_equal(first, second)
        same = len(first) == len(other) and np.abs(first - other).max() < 1e-3
        assert not same or len(first) <= 4  # one token alone may be drawn twice
    small_batches = motions(small_method(batch_size=2), REQUESTS[::-1])[::-1]
    for request, expected, portion in zip(REQUESTS, together, small_batches, strict=True):
        (alone,) = motions(method, [request])
        np.testing.assert_allclose(alone, expected, atol=1e-4)
        np.testing.assert_allclose(portion, expected, atol=1e-4)
    samples = [dataclasses.replace(REQUESTS[0], sample=sample) for sample in range(2)]
    first, second = motions(method, samples)
    assert np.abs(first - second).max() > 1e-3


@pytest.mark.parametrize(
    "options",
    [
        {"steps": 1},
        {"guidance": 1.0},
        {"residual_guidance": 1.0},
        {"temperature": 3.0},
        {"left_out": 0.0},
    ],
)
def test_each_setting_changes_what_is_drawn(options):
    asked = [dataclasses.replace(REQUESTS[0], clip=str(n), frames=LONGEST) for n in range(3)]
    usual, changed = (motions(small_method(**one), asked) for one in ({}, options))
    assert any(np.abs(a - b).max() > 1e-3 for a, b in zip(usual, changed, strict=True))


def test_given_frames_keep_their_codes_unless_as_released():
    request = [REQUESTS[6]]
    kept, released = (motions(small_method(given=one), request)[0] for one in ("kept", "released"))
    gap = slice(10, 30)
    assert np.abs(kept[gap] - released[gap]).max() > 1e-4
    np.testing.assert_array_equal(kept[:10], released[:10])


def test_pads_are_never_drawn_unless_as_released():
    method, released = small_method(), small_method(pads="released")
    for one in (method, released):
        with torch.no_grad():  # a pad is by far the likeliest
            one.residual.output_tables[:, -1] = 100 * torch.ones(16)
            one.residual.shared_tables[:, -1] = 100 * torch.ones(16)
    found = []
    for one in (method, released):
        decode = one.codec.decode
        one.codec.decode = lambda codes, decode=decode: found.append(codes) or decode(codes)
        motions(one, [dataclasses.replace(REQUESTS[0], clip=str(n)) for n in range(8)])
    assert min(codes.min() for codes in found[0]) >= 0
    assert min(codes.min() for codes in found[1]) == -1


def test_a_length_is_drawn_of_the_estimator_by_the_requests_stream():
    method = small_method()
    asked = [Request(str(n), TEXT_TO_MOTION, "walk", None) for n in range(60)]
    lengths = [len(motion) for motion in motions(method, asked)]
    assert len(set(lengths)) > 3 and lengths == [len(m) for m in motions(method, asked[::-1])][::-1]
    likeliest = {len(motion) for motion in motions(small_method(length="likeliest"), asked[:3])}
    with torch.no_grad():
        text = method.text_encoder.encode(["walk"])
        best = 1 + int(method.length(text)[0, 1:].argmax())
    assert likeliest == {4 * best}
    assert {len(m) for m in motions(small_method(length=17), asked[:3])} == {17}
    short = [dataclasses.replace(one, max_frames=9) for one in asked[:9]]
    assert max(len(motion) for motion in motions(method, short)) <= 9
    goes_on = Request("p", PREDICTION, None, None, start=given(20))
    assert len(motions(small_method(length=4), [goes_on])[0]) == 24


@pytest.mark.parametrize(
    ("request_", "named"),
    [
        (Request("x", MOTION_TO_TEXT), "cannot do motion_to_text; it can: text_to_motion, pred"),
        (Request("x", TEXT_TO_MOTION, None, 20), "clip x: text_to_motion needs a text"),
        (Request("x", TEXT_TO_MOTION, "walk", LONGEST + 1), "clip x: 65 frames asked for"),
        (Request("x", TEXT_TO_MOTION, "walk", 0), "clip x: 0 frames asked for"),
        (Request("x", PREDICTION, None, 9, start=given(9)), "clip x: 9 of 9 frames are given"),
    ],
)
def test_what_it_cannot_do_is_refused_by_name(request_, named):
    with pytest.raises(UserError, match=named):
        small_method().generate([request_], 0)


def test_nothing_asked_is_nothing_given():
    assert small_method().generate([], 0) == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"steps": 0}, "steps=0; expected 1 to 1000"),
        ({"steps": 1001}, "steps=1001; expected 1 to 1000"),
        ({"steps": 2.5}, "steps=2.5"),
        ({"guidance": math.nan}, "guidance=nan; expected a finite number"),
        ({"guidance": "much"}, "guidance=much; expected a number"),
        ({"temperature": 0}, "temperature=0; expected above 0"),
        ({"left_out": 1.0}, "left_out=1.0"),
        ({"length": "long"}, "length=long; choose drawn, likeliest or"),
        ({"pads": "always"}, "pads=always; choose one of: never, released"),
        ({"given": "none"}, "given=none; choose one of: kept, released"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"colour": 1}, "no option colour; it has: steps, guidance"),
    ],
)
def test_settings_that_there_are_not_are_said_before_anything_is_trained(options, said):
    with pytest.raises(UserError, match=said):
        MoMask.foresee(**options)


def test_parts_of_different_trainings_are_refused():
    parts = (small_codec(), small_masked(), small_residual(), small_length())
    text = FakeTextEncoder(8)
    for position, other, said in (
        (0, small_codec(codebooks=2), "numbers of codebooks: 3, .* has 2"),
        (0, small_codec(codebook_size=9), "codebooks of codes: 12, .* has 9"),
        (1, small_masked(text_width=10), "texts of numbers: 10, .* has 8"),
    ):
        changed = [*parts]
        changed[position] = other
        with pytest.raises(UserError, match=said):
            MoMask(*changed, text, FORMAT)
    with pytest.raises(UserError, match="have 2 or more"):
        small_residual(codebooks=1)


def test_networks_are_saved_and_opened_each_as_what_it_is(tmp_path):
    networks = (small_masked(), small_residual(), small_length())
    kinds = (MaskedTransformer, ResidualTransformer, LengthEstimator)
    for network, kind in zip(networks, kinds, strict=True):
        save_network(network, tmp_path / kind.__name__)
        opened = load_network(kind, tmp_path / kind.__name__)
        assert opened.arguments() == network.arguments() and not opened.training
        for name, tensor in network.state_dict().items():
            assert torch.equal(opened.state_dict()[name], tensor), name
    with pytest.raises(UserError, match="a LengthEstimator of method momask.*expected a Masked"):
        load_network(MaskedTransformer, tmp_path / "LengthEstimator")
    with pytest.raises(UserError, match="no such file; run the stages of method momask"):
        load_network(MaskedTransformer, tmp_path / "nowhere")
    (tmp_path / "LengthEstimator" / "momask.json").write_text("{}")
    with pytest.raises(UserError, match="not a network's description"):
        load_network(LengthEstimator, tmp_path / "LengthEstimator")


def test_the_longest_motion_has_room_for_parts_that_are_no_whole_tokens():
    for start, end in ((1, 1), (13, 0), (3, 2), (LONGEST - 2, 1)):
        request = Request(
            "x", INBETWEEN, None, LONGEST, start=given(start), end=given(end) if end else None
        )
        (motion,) = motions(small_method(), [request])
        assert len(motion) == LONGEST


def test_sampling_is_what_the_released_evaluation_has():
    assert Sampling() == Sampling(steps=10, guidance=4, residual_guidance=5, left_out=0.9)
