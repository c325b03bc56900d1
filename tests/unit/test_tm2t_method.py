"""TM2T as a method: what is asked, who decides, what is saved, and what is refused."""

import dataclasses
import json

import numpy as np
import pytest
import torch

from motiongpt.errors import UserError
from motiongpt.methods.base import MOTION_TO_TEXT, PREDICTION, TEXT_TO_MOTION, MotionFormat, Request
from motiongpt.methods.tm2t.folder import TrainedToText, load_to_motion, save_to_motion
from motiongpt.methods.tm2t.method import TM2T
from motiongpt.motion.skeleton import HUMANML3D
from tests.unit.mdm_parts import FakeWords
from tests.unit.tiny_models import tiny_tokenizer
from tests.unit.tm2t_parts import VOCABULARY, small_method, small_recurrent, small_translator

MOTION = (0.1 * np.random.default_rng(5).normal(size=(40, 263))).astype(np.float32)
REQUESTS = [
    Request("a", TEXT_TO_MOTION, "a person walks", 30),
    Request("b", MOTION_TO_TEXT, motion=MOTION),
    Request("c", TEXT_TO_MOTION, "a person jumps high", 11),
    Request("d", TEXT_TO_MOTION, "", None),
    Request("e", MOTION_TO_TEXT, motion=MOTION[:3]),
    Request("f", TEXT_TO_MOTION, "a person sits", None, max_frames=9),
    Request("g", MOTION_TO_TEXT, motion=MOTION[10:]),
]


def test_motions_are_as_long_as_asked_and_motions_get_sentences():
    found = small_method().generate(REQUESTS, 3)
    assert len(found[0].motion) == 30 and len(found[2].motion) == 11
    assert len(found[3].motion) <= 48 and len(found[5].motion) <= 9
    for index in (1, 4, 6):
        assert found[index].motion is None and isinstance(found[index].text, str)
        assert set(found[index].text.replace(".", " .").replace(",", " ,").split()) <= set(
            VOCABULARY.words
        )
    longest = dataclasses.replace(REQUESTS[0], frames=999)
    assert len(small_method().generate([longest], 3)[0].motion) == small_method().longest == 48


@pytest.mark.parametrize("options", [{}, {"likeliest": 1, "beams": 1}], ids=str)
def test_the_seed_decides_and_the_batch_does_not(options):
    method = small_method(**options)
    together, again = method.generate(REQUESTS, 3), method.generate(REQUESTS, 3)
    pairs = small_method(**options, batch_size=2).generate(REQUESTS[::-1], 3)[::-1]
    for index, request in enumerate(REQUESTS):
        (alone,) = method.generate([request], 3)
        for other in (again[index], pairs[index], alone):
            assert other.text == together[index].text
            if other.motion is not None:
                np.testing.assert_allclose(other.motion, together[index].motion, atol=1e-4)
    other = method.generate(REQUESTS, 4)
    moved = np.abs(other[0].motion - together[0].motion).max() > 1e-3
    assert moved == (not options), "drawn, or the likeliest"
    assert other[1].text == together[1].text
    foreseen = TM2T.foresee(**options)
    assert foreseen.repeatable == method.repeatable
    assert (TEXT_TO_MOTION in method.repeatable) == bool(options)


@pytest.mark.parametrize(
    ("request_", "named"),
    [
        (
            Request("x", PREDICTION, start=MOTION),
            "cannot do prediction; it can: text_to_motion, mo",
        ),
        (Request("x", TEXT_TO_MOTION, None, 20), "clip x: text_to_motion needs a text"),
        (Request("x", TEXT_TO_MOTION, "walk", 0), "clip x: 0 frames asked for"),
        (Request("x", MOTION_TO_TEXT), "motion of none; motion_to_text needs features"),
        (Request("x", MOTION_TO_TEXT, motion=MOTION[:0]), r"shape \(0, 263\)"),
    ],
)
def test_what_it_cannot_do_is_refused_by_name(request_, named):
    with pytest.raises(UserError, match=named):
        small_method().generate([request_], 0)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"likeliest": 0}, "likeliest=0; expected a number, 1 or more"),
        ({"beams": 2.5}, "beams=2.5"),
        ({"ended_beams": "gone"}, "ended_beams=gone; choose one of: waiting, released"),
        ({"temperature": 1}, "no option temperature; it has: likeliest, most_codes, beams"),
    ],
)
def test_generation_that_makes_no_sense_is_said_before_anything_is_trained(options, named):
    with pytest.raises(UserError, match=named):
        TM2T.foresee(**options)


def test_parts_of_different_trainings_are_refused():
    good = small_method()
    parts = (good.codec, good.to_text, good.to_motion, good.text_encoder)
    for index, other, said in (
        (0, tiny_tokenizer(codes=9), "trained for 16 codes, the codec has 9"),
        (2, small_recurrent(text_width=5), "trained for 5 numbers a word, the text encoder has 12"),
        (2, small_recurrent(codes=9), "trained for 6 codes, the codec has 16"),
    ):
        with pytest.raises(UserError, match=said):
            TM2T(*parts[:index], other, *parts[index + 1 :])


@pytest.mark.parametrize("shared", [True, False])
def test_saved_networks_are_the_same_and_damaged_ones_are_named(tmp_path, shared):
    to_text = TrainedToText(small_translator(shared_output=shared), VOCABULARY)
    to_text.save(tmp_path / "a")
    again = TrainedToText.load(tmp_path / "a")
    assert again.vocabulary == VOCABULARY and again.codebook_size == 16
    for name, tensor in to_text.network.state_dict().items():
        assert torch.equal(again.network.state_dict()[name], tensor), name
    tied = again.network.output.weight is again.network.target_embedding.weight
    assert tied == shared and not again.network.training
    recurrent = small_recurrent()
    save_to_motion(recurrent, tmp_path / "b")
    words, lengths = torch.randn(1, 3, 12), torch.tensor([3])
    codes = torch.tensor([[16, 1]])
    assert torch.equal(
        load_to_motion(tmp_path / "b")(words, lengths, codes, True),
        recurrent(words, lengths, codes, True),
    )
    with pytest.raises(
        UserError, match="a to_motion of method tm2t, format 1; expected a to_text of tm2t"
    ):
        TrainedToText.load(tmp_path / "b")
    with pytest.raises(UserError, match="no such file"):
        load_to_motion(tmp_path / "nowhere")
    described = json.loads((tmp_path / "a" / "network.json").read_text())
    for changes, said in (
        ({"words": described["words"][:-1]}, "words and marks, expected"),
        ({"words": ["a"]}, "three marks"),
        ({"arguments": described["arguments"] | {"width": 18}}, "expected shape"),
    ):
        (tmp_path / "a" / "network.json").write_text(json.dumps(described | changes))
        with pytest.raises(UserError, match=said):
            TrainedToText.load(tmp_path / "a")


def test_a_missing_part_is_named(tmp_path):
    with pytest.raises(UserError, match="method tm2t needs its part 'codec'"):
        TM2T.load({}, MotionFormat(20.0, HUMANML3D))
    assert FakeWords().width == small_method().to_motion.text_width
