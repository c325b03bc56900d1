"""Requests of a protocol: built of the store and the protocol alone, in frames and words."""

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from evaluation.requests.building import RequestBuilder, RequestSettings, chosen_clips
from launch.composition.compose import compose_config
from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption
from motiongpt.errors import UserError
from motiongpt.methods.base import TASKS
from motiongpt.motion.anchor import root_path
from tests.unit.fake_source import FakeSource, feature_clip

LENGTHS = {"a": 20, "b": 41, "c": 2, "d": 97}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    clips = [feature_clip(name, frames=frames) for name, frames in LENGTHS.items()]
    return build_store(
        FakeSource(clips), tmp_path_factory.mktemp("store") / "s", progress=False, min_frames=2
    )


def request_settings(*overrides):
    return RequestSettings.of(
        OmegaConf.to_container(compose_config(list(overrides)).protocol.requests)
    )


def builder(store, *overrides, replications=3, seed=5):
    indices = chosen_clips(store, "train", None)
    return RequestBuilder(store, request_settings(*overrides), indices, 196, replications, seed)


def test_given_parts_and_lengths_are_in_frames(store):
    made = builder(store)
    (prediction,) = made.sets("prediction", True).values()
    assert prediction.frames == [20, 41, 2, 97]
    assert prediction.given == [(4, 0), (8, 0), (1, 0), (19, 0)]
    (between,) = made.sets("inbetween", True).values()
    assert between.clips == ["a", "b", "d"], "two frames leave nothing between two that are given"
    assert between.given == [(5, 5), (10, 10), (24, 24)] and between.kind == "inbetween"


def test_requests_hold_what_is_given_and_nothing_else(store):
    made = builder(store)
    (about,) = made.sets("inbetween", True).values()
    requests, captions = made.requests(about, 0)
    whole = store.features(1)
    one = requests[1]
    np.testing.assert_array_equal(one.start, whole[:10])
    np.testing.assert_array_equal(one.end, whole[31:])
    assert one.frames == 41 and one.text is None and one.motion is None and captions[1] == -1
    heading, position = root_path(torch.from_numpy(whole))
    np.testing.assert_allclose(one.place, position[31, [0, 2]], atol=1e-6)
    assert one.heading == pytest.approx(float(heading[31]))
    about = made.sets("motion_to_text", True)["motion_to_text"]
    (said, *_), _ = made.requests(about, 0)
    assert said.text is None and said.start is None and len(said.motion) == 20
    about = made.sets("text_to_motion", False)["text_to_motion"]
    (moved, *_), _ = made.requests(about, 0)
    assert moved.text == store.captions(0)[0].text and moved.frames is None
    assert moved.max_frames == 196 and moved.motion is None


def test_a_length_is_given_where_the_protocol_says_so(store):
    made = builder(store, "protocol.requests.length=given")
    about = made.sets("text_to_motion", False)["text_to_motion"]
    assert [one.frames for one in made.requests(about, 0)[0]] == [20, 41, 2, 97]


def test_a_protocol_may_cut_lengths_and_leak_the_clip(store):
    made = builder(store, "protocol=motiongpt_release")
    (about,) = made.sets("prediction", False).values()
    assert about.clips == ["a", "b", "d"] and about.frames == [20, 40, 96]
    requests, _ = made.requests(about, 0)
    assert [len(one.motion) for one in requests] == [20, 40, 96]


def test_only_what_may_differ_has_replications(store):
    made = builder(store)
    assert made.sets("prediction", True)["prediction"].seeds == [5]
    assert made.sets("prediction", False)["prediction"].seeds == [5, 6, 7]
    drawn = builder(store, "protocol.requests.caption=random")
    assert drawn.sets("text_to_motion", True)["text_to_motion"].seeds == [5, 6, 7]


def test_captions_are_the_first_or_drawn_for_each_replication(tmp_path):
    captions = ("one", "two", "three")
    given = tuple(map(Caption, captions))
    clips = [feature_clip(f"c{i}", frames=9, captions=given) for i in range(40)]
    store = build_store(FakeSource(clips), tmp_path / "s", progress=False)
    first = builder(store)
    about = first.sets("text_to_motion", False)["text_to_motion"]
    assert first.captions(about, 0) == [0] * 40
    drawn = builder(store, "protocol.requests.caption=random")
    one, two = (drawn.captions(about, number) for number in range(2))
    assert set(one) == {0, 1, 2} and one != two and one == drawn.captions(about, 0)
    requests, _ = drawn.requests(about, 0)
    assert [request.text for request in requests] == [captions[i] for i in one]


def test_several_motions_of_some_texts(store):
    made = builder(store, "protocol.requests.multimodality={texts: 2, samples: 4, replications: 1}")
    about = made.sets("text_to_motion", False)["text_to_motion_samples"]
    assert (about.kind, len(about.clips), about.samples, about.seeds) == ("samples", 2, 4, [5])
    requests, _ = made.requests(about, 0)
    assert [one.sample for one in requests] == [0, 1, 2, 3] * 2
    assert len({one.key for one in requests}) == 8


def test_requests_are_the_same_whatever_the_method_and_its_tokens():
    """The protocol alone decides: no group of a method reaches what it resolves to."""
    settings = [
        OmegaConf.to_container(compose_config(words).stage.generate)
        for words in (["downsampling=1"], ["downsampling=8", "tokenizer=vq_vae"])
    ]
    for key in ("requests", "split", "clips", "max_frames", "replications", "seed", "tasks"):
        assert settings[0][key] == settings[1][key]


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("protocol.requests.caption=best", "caption=best: choose one of first, random"),
        ("protocol.requests.length=long", "length=long: choose one of own, given"),
        ("protocol.requests.multiple=0", "multiple=0: at least 1"),
        ("protocol.requests.given.prediction=[0.5,0.5]", "given.prediction"),
        ("+protocol.requests.given.dance=[0.5,0]", f"of a task of {', '.join(TASKS)}"),
    ],
)
def test_settings_without_meaning_are_one_line(override, said):
    with pytest.raises(UserError, match=said.replace("[", r"\[")) as caught:
        request_settings(override)
    assert "\n" not in str(caught.value)
