"""MotionGPT as a method, on a small untrained model: requests in frames in, whole motions out."""

import numpy as np
import pytest

from motiongpt.errors import UserError
from motiongpt.methods.base import MotionFormat, Request
from motiongpt.methods.motiongpt.generation.decoding import Decoding
from motiongpt.methods.motiongpt.joining import filled, first_tokens, last_tokens, whole_tokens
from motiongpt.methods.motiongpt.method import MotionGPTMethod
from motiongpt.methods.motiongpt.options import Options
from motiongpt.methods.motiongpt.released import encode_padded
from motiongpt.motion.skeleton import HUMANML3D
from tests.unit.tiny_models import tiny_backbone, tiny_tokenizer

FORMAT = MotionFormat(20.0, HUMANML3D)


def features(seed, frames=41):
    return (np.random.default_rng(seed).standard_normal((frames, 263)) * 0.05).astype(np.float32)


@pytest.fixture(scope="module")
def parts():
    return tiny_tokenizer(), tiny_backbone()


@pytest.fixture(scope="module")
def method(parts):
    return MotionGPTMethod(*parts, FORMAT)


def requests():
    clip = features(0)
    return [
        Request("a", "text_to_motion", "a person walks", 41),
        Request("a", "motion_to_text", motion=clip),
        Request("a", "prediction", frames=41, start=clip[:9]),
        Request("a", "inbetween", frames=41, start=clip[:10], end=clip[31:]),
    ]


def test_every_length_is_exact_and_what_is_given_stays(method):
    asked = requests()
    moved, said, predicted, between = method.generate(asked, seed=1)
    assert [len(one.motion) for one in (moved, predicted, between)] == [41, 41, 41]
    assert said.motion is None and "<motion_id" not in said.text
    np.testing.assert_array_equal(predicted.motion[:9], asked[2].start)
    np.testing.assert_array_equal(between.motion[:10], asked[3].start)
    np.testing.assert_array_equal(between.motion[31:], asked[3].end)
    again = method.generate(asked, seed=1)
    np.testing.assert_array_equal(again[0].motion, moved.motion)


@pytest.mark.parametrize("frames", [1, 2, 3, 5])
def test_parts_shorter_than_a_token_are_held(method, frames):
    clip = features(3)
    asked = [
        Request("a", "prediction", frames=30, start=clip[:frames]),
        Request("a", "inbetween", frames=30, start=clip[:frames], end=clip[-frames:]),
        Request("a", "motion_to_text", motion=clip[:frames]),
        Request("a", "text_to_motion", "go", frames),
    ]
    predicted, between, _, moved = method.generate(asked, seed=0)
    assert len(predicted.motion) == len(between.motion) == 30 and len(moved.motion) == frames
    np.testing.assert_array_equal(between.motion[-frames:], clip[-frames:])


def test_held_frames_stand_still():
    row = features(4, 2)
    before, after = last_tokens(row, 4, HUMANML3D), first_tokens(row, 4, HUMANML3D)
    np.testing.assert_array_equal(before[2:], row)
    np.testing.assert_array_equal(after[:2], row)
    for held, edge in ((before[:2], row[0]), (after[2:], row[1])):
        assert not held[:, :3].any() and not held[:, 193:259].any()
        np.testing.assert_array_equal(held[:, 3:193], np.repeat(edge[None, 3:193], 2, axis=0))


def test_given_frames_become_the_nearest_number_of_tokens():
    nine, ten = features(5, 9), features(5, 10)
    np.testing.assert_array_equal(last_tokens(nine, 4, HUMANML3D), nine[1:])
    np.testing.assert_array_equal(first_tokens(nine, 4, HUMANML3D), nine[:8])
    np.testing.assert_array_equal(last_tokens(ten, 4, HUMANML3D)[2:], ten)
    np.testing.assert_array_equal(first_tokens(ten, 4, HUMANML3D)[:10], ten)
    np.testing.assert_array_equal(whole_tokens(ten, 4, HUMANML3D), ten[:8])


def test_an_end_is_reached_where_it_stands():
    import torch

    from motiongpt.motion.anchor import root_path
    from motiongpt.motion.recover import features_to_joints

    clip, decoded = features(6, 40), features(7, 40)
    heading, position = root_path(torch.from_numpy(clip))
    whole = filled(
        clip[:12], clip[28:], decoded, 12, 28, 40, 20.0, HUMANML3D,
        position[28, 0::2].numpy(), float(heading[28]),
    )  # fmt: skip
    joints = [features_to_joints(torch.from_numpy(one), HUMANML3D) for one in (whole, clip)]
    assert float((joints[0][28:] - joints[1][28:]).abs().max()) < 1e-4
    lost = filled(clip[:12], clip[28:], decoded, 12, 28, 40, 20.0, HUMANML3D, None, None)
    there = features_to_joints(torch.from_numpy(lost), HUMANML3D)
    assert float((there[28:] - joints[1][28:]).abs().max()) > 1e-3


def test_an_output_does_not_depend_on_the_others(method):
    texts = ["a person walks", "he waves", "a person sits down slowly"]
    asked = [Request(f"c{i}", "text_to_motion", text, 24) for i, text in enumerate(texts)]
    together = method.generate(asked, seed=3)
    for one, output in zip(asked, together, strict=True):
        (alone,) = method.generate([one], seed=3)
        assert alone.raw == output.raw
    assert method.generate(asked[::-1], seed=3)[0].raw == together[-1].raw
    assert method.generate(asked, seed=4)[0].raw != together[0].raw


def test_a_motion_ends_by_itself_within_the_limit(method):
    asked = [Request(str(i), "text_to_motion", "go", max_frames=82) for i in range(8)]
    lengths = [len(one.motion) for one in method.generate(asked, seed=0)]
    assert max(lengths) <= 80 and min(lengths) >= 4 and len(set(lengths)) > 1


def test_what_is_the_likeliest_is_repeatable(parts):
    assert MotionGPTMethod(*parts, FORMAT).repeatable == {
        "motion_to_text",
        "prediction",
        "inbetween",
    }
    drawn = Options(completion_decoding=Decoding("sampling"))
    assert MotionGPTMethod(*parts, FORMAT, options=drawn).repeatable == {"motion_to_text"}


def test_samples_may_be_asked_in_other_words(parts):
    same = MotionGPTMethod(*parts, FORMAT)
    other = MotionGPTMethod(*parts, FORMAT, options=Options(wording="training"))
    asked = [Request("a", "text_to_motion", "go", 8, sample=i) for i in range(20)]
    assert len({one.prompt for one in same.prompted(asked)}) == 1
    assert len({one.prompt for one in other.prompted(asked)}) > 5
    alone = [Request(str(i), "text_to_motion", "go", 8) for i in range(5)]
    assert len({one.prompt for one in other.prompted(alone)}) == 1


def test_the_released_way_cuts_given_tokens_from_the_whole_clip(parts):
    codec, _ = parts
    clip = features(8, 40)
    method = MotionGPTMethod(*parts, FORMAT)
    request = Request("a", "inbetween", frames=40, start=clip[:10], end=clip[30:], motion=clip)
    (one,) = method.prompted([request])
    (whole,) = codec.encode([clip])
    assert one.rounded.query.start.tolist() == whole[:2].tolist()
    assert one.rounded.query.end.tolist() == whole[7:].tolist()
    (output,) = method.generate([request], seed=0)
    assert len(output.motion) == 40
    released = MotionGPTMethod(*parts, FORMAT, options=Options(outputs="released"))
    request = Request("a", "prediction", frames=40, start=clip[:8], motion=clip)
    (output,) = released.generate([request], seed=0)
    assert not np.array_equal(output.motion[:8], clip[:8]), "what was given is not joined"


class Encoder:
    """Codes that tell how many frames they are of."""

    mean = np.zeros(263, np.float32)
    frames_per_token = 4

    def encode(self, clips):
        return [np.full(len(clip) // 4, len(clip) % 16) for clip in clips]


def test_padded_clips_show_the_padding_or_keep_their_length():
    short, long = features(0, 20), features(1, 41)
    assert encode_padded(Encoder(), [short], shown=True)[0].tolist() == [20 % 16] * 5
    assert encode_padded(Encoder(), [long, short], shown=True)[1].tolist() == [41 % 16] * 10
    assert encode_padded(Encoder(), [long, short], shown=False)[1].tolist() == [41 % 16] * 5


def test_padding_is_zero_where_the_weights_see_it(parts):
    codec, _ = parts
    short, long = features(0, 20), features(1, 40)
    import torch

    rows = np.zeros((40, 263), np.float32)
    rows[:20] = (short - codec.mean) / codec.std
    expected = codec.tokenizer.encode(torch.from_numpy(rows)[None])[0].numpy()
    assert np.array_equal(encode_padded(codec, [short, long], shown=True)[0], expected)


def test_bad_requests_and_options_are_one_line(method):
    with pytest.raises(UserError, match="method motiongpt cannot do dance; it can: text_to_motion"):
        method.generate([Request("a", "dance")], 0)
    with pytest.raises(UserError, match="protocol.motiongpt.encoding=upside: choose one of"):
        Options(encoding="upside")
    with pytest.raises(UserError, match="protocol.motiongpt.prompts=mine is unknown"):
        method.mix.asked_with("mine", "right")
