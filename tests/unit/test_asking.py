"""How clips are put to a model under a protocol."""

import numpy as np
import pytest
from hydra.utils import instantiate

from evaluation.answers.asking import Asking, kind_of
from evaluation.answers.padded_clips import PaddedClips, encode_padded
from evaluation.answers.writing import describe, describe_samples
from launch.composition.compose import compose_config
from motiongpt.data.build import build_store
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.generation.decoding import Decoding
from motiongpt.methods.motiongpt.tasks.clip_tokens import ClipTokens
from tests.unit.fake_source import FakeSource, feature_clip

GREEDY, SAMPLING = Decoding(strategy="greedy"), Decoding()
WAYS = {"motion": SAMPLING, "completion": GREEDY, "text": GREEDY}
KINDS = {
    "text_to_motion": "motion",
    "motion_to_text": "text",
    "prediction": "continuation",
    "inbetween": "bridge",
}


@pytest.fixture(scope="module")
def tasks():
    return instantiate(compose_config(["tokenizer.codebook_size=16"]).tasks)


def asking(**other):
    settings = {
        "caption": "first",
        "length": "own",
        "decodings": WAYS,
        "sample_wording": "evaluation",
        "seed": 5,
    }
    return Asking(**(settings | other))


def clip(captions=("a", "b", "c"), tokens=12):
    codes = np.arange(tokens) % 16
    views = {
        "whole": codes,
        "prediction_given": codes[:2],
        "inbetween_head": codes[:3],
        "inbetween_tail": codes[-3:],
    }
    return ClipTokens("clip", 4 * tokens, 20.0, 4, captions, views)


def test_kinds_follow_from_what_is_given(tasks):
    assert {name: kind_of(task, clip()) for name, task in tasks.items()} == KINDS


def test_only_what_is_drawn_varies():
    assert [asking().varies(kind) for kind in KINDS.values()] == [True, False, False, False]
    greedy = asking(decodings={**WAYS, "motion": GREEDY})
    assert not greedy.varies("motion")
    drawn = asking(decodings={**WAYS, "motion": GREEDY}, caption="random")
    assert drawn.varies("motion") and not drawn.varies("bridge")


def test_captions_are_the_first_or_drawn_for_each_replication():
    clips = [clip()] * 50
    assert asking().captions(clips, "motion", 0) == [0] * 50
    drawn = asking(caption="random")
    first, second = (drawn.captions(clips, "motion", number) for number in range(2))
    assert set(first) == {0, 1, 2} and first != second
    assert first == drawn.captions(clips, "motion", 0)
    assert drawn.captions([clip(captions=())], "motion", 0) == [-1]
    assert drawn.captions(clips, "text", 0) == [-1] * 50


def test_a_length_is_known_where_the_protocol_or_the_task_says_so(tasks):
    motion, prediction = tasks["text_to_motion"], tasks["prediction"]
    assert asking().request(motion, clip(), 1).tokens is None
    assert asking().request(motion, clip(), 1).caption == "b"
    assert asking(length="given").request(motion, clip(), 0).tokens == 12
    assert asking().request(prediction, clip(), -1).tokens == 10


def test_samples_may_be_asked_in_other_words(tasks):
    task, draw = tasks["text_to_motion"], np.random.default_rng(0)
    same = {asking().request(task, clip(), 0, draw).prompt for _ in range(20)}
    assert same == {task.prompt(clip())}
    other = asking(sample_wording="training")
    assert len({other.request(task, clip(), 0, draw).prompt for _ in range(20)}) > 5


@pytest.mark.parametrize("name", ["caption", "length", "sample_wording"])
def test_unknown_choices_are_refused(name):
    with pytest.raises(UserError, match="=upside_down: choose one of"):
        asking(**{name: "upside_down"})


class Clips(list):
    class store:
        fingerprint = "f" * 64


def test_a_description_names_clips_parts_and_seeds(tasks):
    clips = Clips([clip(), clip(tokens=1), clip()])
    about = describe(tasks["inbetween"], clips, [0, 1, 2], asking(), 20)
    assert about.clips == ["clip", "clip"] and about.frames == [48, 48]
    assert about.given == [(12, 12)] * 2 and about.seeds == [5]
    about = describe(tasks["text_to_motion"], clips, [0, 2], asking(), 3)
    assert about.seeds == [5, 6, 7]
    samples = describe_samples(about, texts=100, samples=30, times=1, seed=5)
    assert (len(samples.clips), samples.samples, samples.seeds) == (2, 30, [5])
    assert describe(tasks["inbetween"], clips, [1], asking(), 20) is None


class Encoder:
    """Codes that tell how many frames they are of."""

    mean = np.zeros(263, np.float32)

    def encode(self, features):
        return [np.full(len(clip) // 4, len(clip) % 16) for clip in features]


def test_padded_clips_show_the_padding_and_keep_their_length(tmp_path):
    source = FakeSource([feature_clip("short", frames=20), feature_clip("long", frames=41)])
    store = build_store(source, tmp_path / "store", progress=False)

    class Tokens:
        frames_per_token = 4

        def __len__(self):
            return 2

        def clip(self, index):
            return {"whole": np.zeros(int(store.lengths[index]) // 4, np.int64)}

    assert encode_padded(Encoder(), store, [0])[0].tolist() == [20 % 16] * 5
    padded = encode_padded(Encoder(), store, [0, 1])
    shown, hidden = (PaddedClips(store, Tokens(), padded, shown=one) for one in (True, False))
    assert shown[0].frames == hidden[0].frames == 20
    assert shown[0].codes.tolist() == [41 % 16] * 10
    assert hidden[0].codes.tolist() == [41 % 16] * 5
    assert PaddedClips(store, Tokens(), {}, shown=True)[0].codes.tolist() == [0] * 5
