"""Lookup by motion: descriptions, and completions to the frame."""

import numpy as np
import pytest
import torch

from motiongpt.methods.base import Request
from motiongpt.methods.lookup.completion import CONTEXT_SECONDS
from motiongpt.methods.lookup.motions import MotionQuery, key_frames, nearest_motions
from motiongpt.methods.lookup.windows import nearest_windows
from motiongpt.motion.anchor import root_path
from tests.unit.lookup.parts import every_task, train_clip, trained


def test_a_clip_is_described_by_its_copys_caption(store, method):
    for number in range(8):
        index, _, features = train_clip(store, number)
        slower = np.repeat(features, 2, axis=0)  # how long it takes does not count
        found = method.generate(
            [Request("x", "motion_to_text", motion=m) for m in (features, slower)], 0
        )
        assert found[0].text == store.captions(index)[0].text == found[1].text


def test_nearest_motions_are_those_of_the_formula(store, method):
    memory = method.memory
    keys = [key_frames(memory.normalise(memory.features(i))) for i in range(len(memory))]
    for index in store.indices("test")[:4]:
        key = key_frames(memory.normalise(store.features(int(index))))
        distances = [np.mean((key.astype(float) - other) ** 2) for other in keys]
        [found] = nearest_motions(memory, [MotionQuery(key, -1, 5)])
        assert [hit.clip for hit in found.hits] == np.argsort(distances)[:5].tolist()
        assert found.hits[0].distance == pytest.approx(min(distances), rel=1e-6)


def test_key_frames_are_even_in_time():
    rows = np.arange(10, dtype=np.float32)[:, None]
    np.testing.assert_allclose(key_frames(rows, 4)[:, 0], [0, 3, 6, 9])
    np.testing.assert_allclose(key_frames(rows, 3)[:, 0], [0, 4.5, 9])
    np.testing.assert_array_equal(key_frames(rows[:1], 4), np.zeros((4, 1)))


@pytest.mark.parametrize("begin", [0, 4, 8])
def test_a_known_start_goes_on_as_its_clip_did(store, method, begin):
    _, _, features = train_clip(store)
    part = features[begin:]
    [found, open_end] = method.generate(
        [
            Request("x", "prediction", frames=len(part), start=part[:9]),
            Request("x", "prediction", start=part[:9]),
        ],
        0,
    )
    np.testing.assert_array_equal(found.motion, part)
    np.testing.assert_array_equal(open_end.motion, part)


def test_with_a_stride_of_one_every_window_is_found(store, tmp_path):
    method = trained(store, tmp_path, stride=1)
    _, _, features = train_clip(store)
    part = features[7:]
    asked = [
        Request("x", "prediction", frames=len(part), start=part[:9]),
        Request("x", "inbetween", frames=len(part), start=part[:9], end=part[-6:]),
        Request("x", "inbetween", frames=len(part), end=part[-6:]),
    ]
    for found in method.generate(asked, 0):
        np.testing.assert_array_equal(found.motion, part)


def test_the_window_of_the_formula_is_found(store, method):
    """Against a plain loop over all windows, path and all."""
    from motiongpt.methods.lookup.completion import Completion

    memory = method.memory
    requests = [one for one in every_task(store) if one.task in ("prediction", "inbetween")]
    queries = [Completion.of(request, memory).query for request in requests]
    for query, nearest in zip(queries, nearest_windows(memory, queries, 4), strict=True):
        best = min(
            (plain_distance(memory, query, clip, frame), clip, frame)
            for clip in range(len(memory))
            for frame in range(0, int(memory.lengths[clip]) - query.frames + 1, 4)
        )
        assert (nearest[0].clip, nearest[0].frame) == best[1:]
        assert nearest[0].distance == pytest.approx(best[0], rel=1e-6)


def plain_distance(memory, query, clip, frame):
    features = memory.features(clip, frame, frame + query.frames)
    rows = memory.normalise(features)[query.offsets].astype(float)
    found = np.mean((rows - query.rows) ** 2)
    if query.path is None:
        return found
    # frame `first` stands at the origin and looks ahead where features begin there
    half, place = root_path(torch.from_numpy(features[query.path.first :]).double())
    last = query.path.last - query.path.first
    turn = 2 * (float(half[last]) - query.path.turn)
    turn = np.arctan2(np.sin(turn), np.cos(turn))
    away = place[last, 0::2].numpy() - query.path.step
    return found + (away**2).sum() / 0.5**2 + (turn / 0.5) ** 2


def test_a_copy_leads_where_the_end_stands(store, method):
    """With the place that its own clip leads to, a window is not bent: its path fits already."""
    _, _, features = train_clip(store)
    half, place = root_path(torch.from_numpy(features))
    last = len(features) - 10
    request = Request(
        "x",
        "inbetween",
        frames=len(features),
        start=features[:10],
        end=features[last:],
        place=place[last, 0::2].numpy(),
        heading=float(half[last]) + np.pi,  # half a turn more is the same heading
    )
    [found] = method.generate([request], 0)
    np.testing.assert_allclose(found.motion, features, atol=1e-5)


def test_given_frames_stay_lengths_are_exact_and_ends_stand_where_asked(store, method):
    requests = every_task(store)
    for request, output in zip(requests, method.generate(requests, 0), strict=True):
        if request.task == "motion_to_text":
            assert output.text and output.motion is None
            continue
        motion = output.motion
        assert motion.dtype == np.float32 and np.isfinite(motion).all()
        if request.frames is not None:
            assert motion.shape == (request.frames, 263)
        if request.start is not None:
            np.testing.assert_array_equal(motion[: len(request.start)], request.start)
        if request.end is not None:
            np.testing.assert_array_equal(motion[-len(request.end) :], request.end)
            half, place = root_path(torch.from_numpy(motion))
            at = request.frames - len(request.end)
            np.testing.assert_allclose(place[at, 0::2], request.place, atol=1e-4)
            turn = 2 * (float(half[at]) - request.heading)
            assert np.cos(turn) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("frames", [25, 900])
def test_lengths_are_exact_beyond_every_clip(store, method, frames):
    _, _, features = train_clip(store)
    text, start, end = "a person walks", features[:10], features[-10:]
    asked = [
        Request("x", "text_to_motion", text, frames=frames),
        Request("x", "prediction", frames=frames, start=start),
        Request("x", "inbetween", frames=frames, start=start, end=end),
        Request("x", "prediction", frames=len(features), start=features),
        Request("x", "inbetween", frames=20, start=start, end=end),
    ]
    motions = [one.motion for one in method.generate(asked, 0)]
    assert [len(one) for one in motions] == [frames, frames, frames, len(features), 20]
    if frames > 800:  # the last pose is held
        assert np.abs(motions[0][-1, :3]).max() == 0 == np.abs(motions[1][-50:-1, 193:259]).max()
        np.testing.assert_array_equal(motions[0][-1, 3:193], motions[0][-2, 3:193])


def test_a_start_longer_than_every_clip_is_continued(store, method):
    _, _, features = train_clip(store)
    start = np.concatenate([features] * 8)
    [found] = method.generate([Request("x", "prediction", frames=len(start) + 15, start=start)], 0)
    np.testing.assert_array_equal(found.motion[: len(start)], start)
    assert len(found.motion) == len(start) + 15
    context = round(CONTEXT_SECONDS * 20)
    [short] = method.generate(
        [Request("x", "prediction", frames=context + 15, start=start[-context:])], 0
    )
    np.testing.assert_array_equal(found.motion[len(start) :], short.motion[context:])


def test_max_frames_ends_what_has_no_length(store, method):
    _, _, features = train_clip(store)
    asked = [
        Request("x", "text_to_motion", "a person walks", max_frames=12),
        Request("x", "prediction", start=features[:10], max_frames=14),
    ]
    assert [len(one.motion) for one in method.generate(asked, 0)] == [12, 14]
