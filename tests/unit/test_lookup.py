"""Lookup: what it copies, to the frame, and that nothing but the data decides it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption
from motiongpt.data.store import MotionStore
from motiongpt.data.string_table import StringLists
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.errors import UserError
from motiongpt.methods.base import MotionFormat, Request
from motiongpt.methods.lookup.completion import CONTEXT_SECONDS
from motiongpt.methods.lookup.memory import Memory
from motiongpt.methods.lookup.method import Lookup
from motiongpt.methods.lookup.motions import MotionQuery, key_frames, nearest_motions
from motiongpt.methods.lookup.stage import LookupStage
from motiongpt.methods.lookup.windows import nearest_windows
from motiongpt.methods.lookup.words import CaptionIndex, stem
from motiongpt.motion.anchor import root_path
from motiongpt.motion.skeleton import HUMANML3D, KIT
from motiongpt.training.stage import Hardware, StageContext
from tests.unit.fake_source import FakeSource, feature_clip

FORMAT = MotionFormat(20.0, HUMANML3D)
CLIPS = 60


@pytest.fixture(scope="module")
def clips():
    return list(SyntheticSource(clips=CLIPS, seed=5).clips())


@pytest.fixture(scope="module")
def store(clips, tmp_path_factory):
    folder = tmp_path_factory.mktemp("store") / "synthetic"
    return build_store(FakeSource(clips), folder, progress=False)


@pytest.fixture(scope="module")
def method(store, tmp_path_factory):
    return trained(store, tmp_path_factory.mktemp("run"))


def trained(store, folder, **options):
    context = StageContext("lookup", "s", folder, {}, store, Hardware(accelerator="cpu"))
    LookupStage().run(context)
    return Lookup.load({"memory": folder / "model"}, FORMAT, **options)


def train_clip(store, number=3):
    index = int(store.indices("train")[number])
    return index, store.names[index], store.features(index)


def every_task(store, count=4, **other):
    """Requests of all tasks about test clips, with everything that is given."""
    found = []
    for index in [int(i) for i in store.indices("test")][:count]:
        features, name = store.features(index), store.names[index]
        text = store.captions(index)[0].text
        half, place = root_path(torch.from_numpy(features))
        last = len(features) - 12
        found += [
            Request(name, "text_to_motion", text, frames=len(features)),
            Request(name, "text_to_motion", text, sample=2),
            Request(name, "motion_to_text", motion=features),
            Request(name, "prediction", frames=len(features), start=features[:10]),
            Request(
                name,
                "inbetween",
                frames=len(features),
                start=features[:10],
                end=features[last:],
                place=place[last, 0::2].numpy(),
                heading=float(half[last]),
            ),
        ]
    return [replace(one, **other) for one in found]


def assert_same(one, other):
    assert one.text == other.text
    assert (one.motion is None) == (other.motion is None)
    if one.motion is not None:
        np.testing.assert_array_equal(one.motion, other.motion)


def test_a_training_clips_caption_gets_that_clip(store, method):
    for number in range(10):
        index, _, features = train_clip(store, number)
        text = store.captions(index)[0].text.upper() + "!"
        same = [
            store.features(int(i))
            for i in store.indices("train")
            if any(c.text == store.captions(index)[0].text for c in store.captions(int(i)))
        ]
        [found] = method.generate([Request("x", "text_to_motion", text)], 0)
        assert any(np.array_equal(found.motion, one) for one in same)
        assert any(np.array_equal(features, one) for one in same)


def test_the_same_words_in_another_order_come_after_the_very_caption():
    index = CaptionIndex.build(["he jumps then she walks", "she walks then he jumps", "he sits"])
    first, second, third = index.similarities("She walks, then he jumps.")
    assert second > first == 1 > third > 0
    assert index.similarities("zzz").tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    "words",
    ["walk walks walked walking", "wave waves waving waved", "hop hops hopping hopped",
     "carry carries carried", "punch punches punching", "kneel kneels kneeling", "sit sitting"],
)  # fmt: skip
def test_forms_of_a_word_are_one(words):
    assert len({stem(word) for word in words.split()}) == 1


def test_words_that_differ_stay_apart():
    words = [
        "walk",
        "wave",
        "this",
        "his",
        "left",
        "right",
        "bed",
        "red",
        "sing",
        "king",
        "up",
        "run",
        "turn",
        "arm",
        "arch",
    ]
    assert len({stem(word) for word in words}) == len(words)


def test_rare_words_decide(tmp_path):
    captions = ["a person walks", "a person walks slowly", "a person limps", "a person walks home"]
    items = [
        feature_clip(f"c{i}", seed=i, captions=(Caption(text),)) for i, text in enumerate(captions)
    ]
    store = build_store(FakeSource(items), tmp_path / "s", progress=False)
    found = trained(store, tmp_path).generate(
        [Request("x", "text_to_motion", "somebody is limping")], 0
    )
    np.testing.assert_array_equal(found[0].motion, store.features(2))


def test_samples_are_different_clips_and_start_anew_after_the_last(store, method):
    count = len(store.indices("train"))
    asked = [Request("x", "text_to_motion", "a person walks", sample=s) for s in range(count + 1)]
    motions = [one.motion for one in method.generate(asked, 0)]
    assert len({one.tobytes() for one in motions[:-1]}) == count
    np.testing.assert_array_equal(motions[-1], motions[0])
    completions = [
        Request("x", "prediction", frames=40, start=store.features(0, 0, 8), sample=s)
        for s in range(3)
    ]
    assert len({one.motion.tobytes() for one in method.generate(completions, 0)}) == 3


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


def test_a_clip_never_gets_itself(store, method):
    index, name, features = train_clip(store)
    text = store.captions(index)[0].text
    asked = [
        Request(name, "text_to_motion", text),
        Request(name, "prediction", frames=len(features), start=features[:10]),
        Request(name, "inbetween", frames=len(features), start=features[:10], end=features[-10:]),
    ]
    for request in asked:
        [own] = method.generate([replace(request, clip="somebody else")], 0)
        [found] = method.generate([request], 0)
        np.testing.assert_array_equal(own.motion[:20], features[:20])
        assert found.motion.shape != features.shape or not np.array_equal(found.motion, features)
    key = key_frames(method.memory.normalise(features))
    position = method.memory.position(name)
    [nearest] = nearest_motions(method.memory, [MotionQuery(key, position, len(method.memory))])
    assert position not in [hit.clip for hit in nearest.hits]
    assert len(nearest.hits) == len(method.memory) - 1


def test_neither_the_batch_nor_the_seed_nor_the_chunks_change_anything(store, method, monkeypatch):
    requests = every_task(store)
    together = method.generate(requests, 0)
    for request, output in zip(requests, together, strict=True):
        assert_same(method.generate([request], 1)[0], output)
    for one, other in zip(method.generate(requests[::-1], 0)[::-1], together, strict=True):
        assert_same(one, other)
    chunks = Memory.chunks
    monkeypatch.setattr(Memory, "chunks", lambda self: chunks(self, 150))
    monkeypatch.setattr("motiongpt.methods.lookup.windows.QUERIES", 3)
    for one, other in zip(method.generate(requests, 0), together, strict=True):
        assert_same(one, other)


def test_the_order_of_the_training_clips_changes_nothing(clips, store, method, tmp_path):
    order = np.random.default_rng(1).permutation(len(clips))
    shuffled = build_store(FakeSource([clips[i] for i in order]), tmp_path / "s", progress=False)
    # the sums of the statistics run in another order: only their last digits may differ
    shuffled.mean[:], shuffled.std[:] = store.mean, store.std
    np.save(tmp_path / "s" / "mean.npy", store.mean)
    np.save(tmp_path / "s" / "std.npy", store.std)
    other = trained(shuffled, tmp_path)
    assert list(shuffled.names) != list(store.names)
    requests = every_task(store)
    for one, two in zip(method.generate(requests, 0), other.generate(requests, 0), strict=True):
        assert_same(one, two)


def test_equal_clips_come_by_name(tmp_path):
    items = [
        feature_clip(name, seed=1, captions=(Caption(f"he jumps {word}"),))
        for name, word in (("c", "one"), ("a", "two"), ("b", "three"))
    ]
    items.append(feature_clip("d", seed=2))
    store = build_store(FakeSource(items), tmp_path / "s", progress=False)
    method = trained(store, tmp_path)
    motion = store.features(0)
    asked = [Request(name, "motion_to_text", motion=motion, sample=s) for name, s in
             (("x", 0), ("x", 1), ("x", 2), ("x", 3), ("a", 0))]  # fmt: skip
    words = [one.text.split()[-1] for one in method.generate(asked, 0)]
    assert words == ["two", "three", "one", "d", "three"]


def test_the_stages_metrics_and_folder(store, tmp_path):
    context = StageContext("lookup", "s", tmp_path, {}, store, Hardware(accelerator="cpu"))
    metrics = LookupStage().run(context)
    train = [int(i) for i in store.indices("train")]
    assert metrics["clips"] == len(train)
    assert metrics["captions"] == sum(len(store.captions(i)) for i in train)
    assert metrics["words"] > 20
    size = sum(file.stat().st_size for file in (tmp_path / "model").iterdir())
    assert size < (store.folder / "features.npy").stat().st_size / 20


def one_line(error):
    assert "\n" not in str(error.value)


def test_an_absent_store_is_one_line(clips, store, tmp_path):
    own = build_store(FakeSource(clips[:30]), tmp_path / "own", progress=False)
    trained(own, tmp_path)
    folders = {"memory": tmp_path / "model"}
    (tmp_path / "own").rename(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="own, which is gone") as error:
        Lookup.load(folders, FORMAT)
    one_line(error)
    build_store(FakeSource(clips[:29]), tmp_path / "own", progress=False)
    with pytest.raises(UserError, match="fingerprint") as error:
        Lookup.load(folders, FORMAT)
    one_line(error)
    with pytest.raises(UserError, match=r"no lookup\.json") as error:
        Lookup.load({"memory": tmp_path}, FORMAT)
    one_line(error)
    with pytest.raises(UserError, match="needs its part 'memory'"):
        Lookup.load({}, FORMAT)


def test_other_skeletons_and_bad_options_are_one_line(store, tmp_path):
    trained(store, tmp_path)
    folders = {"memory": tmp_path / "model"}
    with pytest.raises(UserError, match="'humanml3d', not 'kit'"):
        Lookup.load(folders, MotionFormat(12.5, KIT))
    with pytest.raises(UserError, match="no option pace; it has: stride"):
        Lookup.load(folders, FORMAT, pace=1)
    with pytest.raises(UserError, match="stride=0"):
        Lookup.load(folders, FORMAT, stride=0)


@pytest.mark.parametrize("name", ["weights", "idf", "digests", "clips"])
@pytest.mark.parametrize("content", [None, np.zeros(1)], ids=["empty", "short"])
def test_damage_is_one_line(store, tmp_path, name, content):
    trained(store, tmp_path)
    file = tmp_path / "model" / f"{name}.npy"
    file.write_bytes(b"") if content is None else np.save(file, content.astype(np.load(file).dtype))
    with pytest.raises(UserError, match="is damaged") as error:
        Lookup.load({"memory": tmp_path / "model"}, FORMAT)
    one_line(error)


def test_without_captions_words_are_refused_and_motion_is_not(tmp_path):
    items = [feature_clip(f"c{i}", seed=i) for i in range(3)]
    build_store(FakeSource(items), tmp_path / "s", progress=False)
    for name in ("captions", "tokens"):  # a source whose clips have no words is refused today
        StringLists.write(tmp_path / "s", name, [()] * 3)
    store = MotionStore.open(tmp_path / "s")
    method = trained(store, tmp_path)
    for request in (
        Request("x", "text_to_motion", "a person walks"),
        Request("x", "motion_to_text", motion=store.features(0)),
    ):
        with pytest.raises(UserError, match="the train split of s has no captions") as error:
            method.generate([request], 0)
        one_line(error)
    [found] = method.generate(
        [Request("x", "prediction", frames=15, start=store.features(1, 0, 5))], 0
    )
    np.testing.assert_array_equal(found.motion, store.features(1, 0, 15))


ROWS = np.zeros((5, 263), np.float32)


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (Request("x", "dance"), "cannot do dance"),
        (Request("x", "text_to_motion"), "no text"),
        (Request("x", "motion_to_text"), "motion of none"),
        (Request("x", "motion_to_text", motion=ROWS[:, :9]), r"shape \(5, 9\)"),
        (Request("x", "prediction", frames=9), "no frames are given"),
        (Request("x", "prediction", frames=9, start=ROWS[:, :9]), r"shape \(5, 9\)"),
        (Request("x", "prediction", frames=4, start=ROWS), "4 frames, of which 5"),
        (Request("x", "inbetween", start=ROWS, end=ROWS), "how many frames"),
    ],
    ids=str,
)
def test_bad_requests_are_one_line(method, request_, said):
    with pytest.raises(UserError, match=said) as error:
        method.generate([request_], 0)
    one_line(error)


def test_the_only_clip_cannot_be_copied_for_itself(tmp_path):
    store = build_store(FakeSource([feature_clip("only")]), tmp_path / "s", progress=False)
    method = trained(store, tmp_path)
    rows = store.features(0)
    for request in (
        Request("only", "text_to_motion", "caption of only"),
        Request("only", "motion_to_text", motion=rows),
        Request("only", "prediction", frames=15, start=rows[:5]),
    ):
        with pytest.raises(UserError, match="no other") as error:
            method.generate([request], 0)
        one_line(error)


def test_the_std_is_the_plain_one(clips, tmp_path):
    plain = build_store(FakeSource(clips[:20]), tmp_path / "a", progress=False)
    weighted = build_store(
        FakeSource(clips[:20]), tmp_path / "b", progress=False, normalisation="motiongpt"
    )
    assert not np.allclose(plain.std, weighted.std)
    for store in (plain, MotionStore.open(tmp_path / "b")):
        memory = Memory.build(store)
        assert len(memory.channels) == 263 - 6 * 21
        np.testing.assert_allclose(memory.std, plain.std[memory.channels], rtol=1e-6)
