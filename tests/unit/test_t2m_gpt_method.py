"""T2M-GPT as a method: requests in frames and words in, features out."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from motiongpt.errors import UserError
from motiongpt.methods.base import MotionFormat, Request
from motiongpt.methods.t2m_gpt import method as methods
from motiongpt.methods.t2m_gpt.folder import save_transformer
from motiongpt.methods.t2m_gpt.method import T2MGPT, Generation
from motiongpt.methods.t2m_gpt.network import CodeTransformer
from motiongpt.motion.skeleton import HUMANML3D
from tests.unit.fake_text_encoder import FakeTextEncoder, load_fake, save_fake
from tests.unit.tiny_models import CODES, tiny_tokenizer

FORMAT = MotionFormat(20.0, HUMANML3D)


def transformer(**sizes):
    torch.manual_seed(0)
    settings = {"block_size": 9, "width": 16, "blocks": 1, "heads": 2, "dropout": 0.3, **sizes}
    network = CodeTransformer(CODES, 8, **settings)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return network


def method(**options):
    return T2MGPT(tiny_tokenizer(), transformer(), FakeTextEncoder(), Generation(**options))


def requests(count=12, **settings):
    return [
        Request(f"clip {i}", "text_to_motion", f"words {i % 5}", **settings) for i in range(count)
    ]


def lengths(outputs):
    return [len(output.motion) for output in outputs]


def same(outputs, others):
    return all(
        np.allclose(one.motion, two.motion, atol=1e-5)
        if len(one.motion) == len(two.motion)
        else False
        for one, two in zip(outputs, others, strict=True)
    )


def test_motions_end_by_themselves_and_hold_features():
    outputs = method().generate(requests(40), 0)
    found = set(lengths(outputs))
    assert len(found) > 4 and all(frames % 4 == 0 for frames in found)
    assert method().longest == 32 and max(found) == 32
    assert 0 in found, "a stop before the first code gives a motion without frames"
    assert all(o.motion.shape[1] == 263 and o.motion.dtype == np.float32 for o in outputs)
    assert all(output.text == output.prompt == "" for output in outputs)


def test_a_request_with_frames_gets_so_many():
    asked = [1, 4, 10, 31, 32, 33, 400]
    some = [replace(one, frames=n) for one, n in zip(requests(7), asked, strict=True)]
    for strategy in ("sampling", "greedy"):
        outputs = method(strategy=strategy).generate(some, 0)
        assert lengths(outputs) == [1, 4, 10, 31, 32, 32, 32]


def test_a_motion_of_free_length_ends_at_the_request_s_limit():
    free = method().generate(requests(40), 0)
    for limit in (13, 2):
        ended = method().generate(requests(40, max_frames=limit), 0)
        whole = max(1, limit // 4) * 4
        assert lengths(ended) == [min(n, whole, limit) for n in lengths(free)]
    fixed = requests(3, max_frames=8, frames=18)
    assert lengths(method().generate(fixed, 0)) == [18, 18, 18]


def test_only_greedy_outputs_are_repeatable():
    assert method(strategy="greedy").repeatable == {"text_to_motion"} and not method().repeatable


def test_the_seed_decides_and_the_company_does_not():
    ours, asked = method(), requests(30)
    outputs = ours.generate(asked, 3)
    assert same(ours.generate(asked, 3), outputs)
    assert not same(ours.generate(asked, 4), outputs)
    rows = [17, 2, 29]
    assert same(ours.generate([asked[i] for i in rows], 3), [outputs[i] for i in rows])
    assert same(method(batch_size=7).generate(asked, 3), outputs)
    assert ours.generate([], 3) == []


def test_samples_of_one_text_differ_and_greedy_ones_do_not():
    asked = [replace(requests(1)[0], sample=number) for number in range(12)]
    drawn = {output.motion.tobytes() for output in method().generate(asked, 0)}
    assert len(drawn) > 3
    likeliest = method(strategy="greedy")
    assert len({output.motion.tobytes() for output in likeliest.generate(asked, 0)}) == 1


def test_each_text_is_read_once():
    ours = method()
    ours.generate(requests(12), 0)
    assert [sorted(texts) for texts in ours.text_encoder.asked] == [
        [f"words {i}" for i in range(5)]
    ]


def test_the_released_way_of_a_first_stop_is_one_code():
    plain, released = (
        method(first_stop=way).generate(requests(40), 0) for way in ("empty", "released")
    )
    (expected,) = tiny_tokenizer().decode([np.array([1])])
    for one, two in zip(plain, released, strict=True):
        np.testing.assert_allclose(
            two.motion, one.motion if len(one.motion) else expected, atol=1e-5
        )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"task": "motion_to_text"}, "t2m_gpt cannot do motion_to_text; it can: text_to_motion"),
        ({"task": "inbetween"}, "t2m_gpt cannot do inbetween"),
        ({"text": None}, "clip clip 0: text_to_motion needs a text"),
        ({"frames": 0}, "clip clip 0: 0 frames asked for"),
    ],
)
def test_other_requests_are_refused(change, message):
    with pytest.raises(UserError, match=message):
        method().generate([replace(requests(1)[0], **change)], 0)


def test_parts_that_do_not_belong_together_are_refused():
    with pytest.raises(UserError, match="codebook of 16 codes, the codec has 8"):
        T2MGPT(tiny_tokenizer(codes=8), transformer(), FakeTextEncoder())
    with pytest.raises(UserError, match="text of 8 numbers, the text encoder has 5"):
        T2MGPT(tiny_tokenizer(), transformer(), FakeTextEncoder(5))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strategy": "beams"}, "strategy=beams; choose one of: sampling, greedy"),
        ({"first_stop": "never"}, "first_stop=never; choose one of: empty, released"),
        ({"batch_size": 0}, "batch_size=0; expected 1 or more"),
        ({"beams": 3}, "no option beams; it has: strategy, first_stop, batch_size"),
    ],
)
def test_options_that_there_are_not_are_refused(options, message):
    with pytest.raises(UserError, match=message):
        T2MGPT.load({}, FORMAT, **options)


def test_it_opens_its_parts_and_says_which_is_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(methods, "load_text_encoder", load_fake)
    tiny_tokenizer().save(tmp_path / "codec")
    save_transformer(transformer(), tmp_path / "transformer")
    save_fake(tmp_path / "text_encoder")
    folders = {name: tmp_path / name for name in ("codec", "transformer", "text_encoder")}
    found = T2MGPT.load(folders, FORMAT, "cpu", strategy="greedy")
    assert same(found.generate(requests(), 0), method(strategy="greedy").generate(requests(), 0))
    del folders["transformer"]
    with pytest.raises(UserError, match="needs its part 'transformer'; found codec, text_encoder"):
        T2MGPT.load(folders, FORMAT, "cpu")
