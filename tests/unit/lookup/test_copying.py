"""That nothing but the data decides what is copied, and what the stage leaves."""

from dataclasses import replace

import numpy as np

from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption
from motiongpt.methods.base import Request
from motiongpt.methods.lookup.memory import Memory
from motiongpt.methods.lookup.motions import MotionQuery, key_frames, nearest_motions
from motiongpt.methods.lookup.stage import LookupStage
from motiongpt.training.stage import Hardware, StageContext
from tests.unit.fake_source import FakeSource, feature_clip
from tests.unit.lookup.parts import assert_same, every_task, train_clip, trained


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
