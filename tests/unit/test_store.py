import os
import pickle
import shutil

import numpy as np
import pytest

from motiongpt.data.build import build_store
from motiongpt.data.clip import BadClip, Caption, Clip
from motiongpt.data.statistics import channel_groups
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.motion.skeleton import HUMANML3D
from tests.unit.fake_source import FakeSource, feature_clip, joint_clip

WORDS = {"walk": (r"\bwalk",), "wave": (r"\bwav",)}


def mixed_source() -> FakeSource:
    captions = (Caption("A man walks – ünïcode.", "man/NOUN walk/VERB"), Caption("he waves"))
    items = [
        feature_clip("a", frames=9, seed=1, captions=captions, labels=("walk", "wave")),
        joint_clip("b", "val", 21, seed=2),
        feature_clip("c", "test", 30, seed=3),
        joint_clip("d", frames=33, seed=4, labels=("walk",)),
    ]
    return FakeSource(items, action_words=WORDS)


def test_store_gives_back_what_the_source_gave(tmp_path):
    source = mixed_source()
    build_store(source, tmp_path / "s", progress=False, name="mixed")
    store = MotionStore.open(tmp_path / "s")
    assert (store.name, store.fps, store.skeleton, len(store)) == ("mixed", 20.0, HUMANML3D, 4)
    assert list(store.names) == ["a", "b", "c", "d"]
    assert store.lengths.tolist() == [9, 20, 30, 32]
    assert store.captions(0) == source.items[0].captions
    assert store.labels(0) == ("walk", "wave")
    assert store.labels(1) == ()
    assert store.action_words == WORDS
    assert {s: store.indices(s).tolist() for s in ("train", "val", "test")} == {
        "train": [0, 3],
        "val": [1],
        "test": [2],
    }
    np.testing.assert_array_equal(store.features(2), source.items[2].features)
    np.testing.assert_array_equal(store.features(2, 3, 7), source.items[2].features[3:7])
    assert store.features(3).shape == (32, 263)


def test_features_of_a_clip_do_not_depend_on_its_batch(tmp_path):
    together = build_store(mixed_source(), tmp_path / "a", progress=False)
    alone = build_store(mixed_source(), tmp_path / "b", progress=False, batch=1)
    for i in range(len(together)):
        np.testing.assert_allclose(together.features(i), alone.features(i), atol=1e-5)


def test_what_features_returns_is_ones_own(tmp_path):
    store = build_store(mixed_source(), tmp_path / "s", progress=False)
    store.features(0)[:] = 0
    assert store.features(0).any()


def test_same_source_same_fingerprint_wherever_it_is_built(tmp_path):
    first = build_store(mixed_source(), tmp_path / "a", progress=False, name="x")
    again = build_store(mixed_source(), tmp_path / "deep" / "b", progress=False, name="y")
    assert len(first.fingerprint) == 64
    assert first.fingerprint == again.fingerprint == first.content_fingerprint()


@pytest.mark.parametrize("change", ["caption", "label", "split", "features", "words", "std", "fps"])
def test_every_change_of_content_changes_the_fingerprint(tmp_path, change):
    source, other, normalisation = mixed_source(), mixed_source(), "humanml3d"
    if change == "caption":
        other.items[2] = feature_clip("c", "test", 30, seed=3, captions=(Caption("else"),))
    elif change == "label":
        other.items[3] = joint_clip("d", frames=33, seed=4, labels=("wave",))
    elif change == "split":
        other.items[1] = joint_clip("b", "test", 21, seed=2)
    elif change == "features":
        other.items[2].features[7, 7] += 1
    elif change == "words":
        other.action_words = {**WORDS, "walk": (r"\bstroll",)}
    elif change == "fps":
        other.fps = 30.0
    else:
        normalisation = "motiongpt"
    first = build_store(source, tmp_path / "a", progress=False)
    second = build_store(other, tmp_path / "b", progress=False, normalisation=normalisation)
    assert first.fingerprint != second.fingerprint


def test_changed_file_no_longer_has_the_fingerprint(tmp_path):
    store = build_store(mixed_source(), tmp_path / "s", progress=False)
    path = tmp_path / "s" / "features.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))
    assert MotionStore.open(tmp_path / "s").content_fingerprint() != store.fingerprint


def bad_features(value: float) -> np.ndarray:
    features = feature_clip("x").features
    features[3, 5] = value
    return features


BAD = {
    "nan": (lambda: feature_clip("bad", features=bad_features(np.nan)), "NaN"),
    "infinite": (lambda: feature_clip("bad", features=bad_features(np.inf)), "infinity"),
    "width": (lambda: feature_clip("bad", features=np.zeros((20, 251), np.float32)), "wrong width"),
    "joints": (lambda: joint_clip("bad", joints=np.zeros((20, 21, 3), np.float32)), "wrong width"),
    "short": (lambda: feature_clip("bad", frames=7), "too short"),
    "short joints": (lambda: joint_clip("bad", frames=8), "too short"),
    "integers": (lambda: feature_clip("bad", features=np.zeros((20, 263), int)), "int64"),
    "blank caption": (lambda: feature_clip("bad", captions=(Caption(" "),)), "empty caption"),
    "split": (lambda: feature_clip("bad", "dev"), "unknown split 'dev'"),
    "label": (lambda: feature_clip("bad", labels=("fly",)), "'fly'"),
    "nothing": (lambda: Clip("bad", "train", (Caption("x"),)), "either joints or features"),
    "degenerate": (
        lambda: joint_clip("bad", joints=np.zeros((20, 22, 3), np.float32)),
        "degenerate",
    ),
    "of the source": (lambda: BadClip("bad", "unreadable"), "unreadable"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_clip_is_named_and_left_out(tmp_path, kind):
    make, reason = BAD[kind]
    source = FakeSource([feature_clip("good"), make(), joint_clip("last")], action_words=WORDS)
    store = build_store(source, tmp_path / "s", progress=False)
    assert list(store.names) == ["good", "last"]
    assert [bad.name for bad in store.rejected] == ["bad"]
    assert reason in store.rejected[0].reason
    assert np.isfinite(np.load(tmp_path / "s" / "features.npy")).all()


def test_a_clip_without_captions_is_kept(tmp_path, capsys):
    items = [feature_clip("mute", captions=()), feature_clip("told"), joint_clip("silent", "val")]
    store = build_store(FakeSource(items), tmp_path / "s")
    assert list(store.names) == ["mute", "told", "silent"] and store.captions(0) == ()
    assert store.without_captions(np.array([1, 0, 2])).tolist() == [0]
    assert not store.rejected and "0 rejected; 1 without caption" in capsys.readouterr().out
    assert store.content_fingerprint() == store.fingerprint


def test_shortest_clip_is_accepted(tmp_path):
    source = FakeSource([feature_clip("f", frames=8), joint_clip("j", frames=9)])
    assert build_store(source, tmp_path / "s", progress=False).lengths.tolist() == [8, 8]


def test_name_in_two_splits_is_left_out_of_both(tmp_path):
    items = [
        feature_clip("twice"),
        feature_clip("one", seed=2),
        feature_clip("twice", "test"),
        feature_clip("one", seed=3),
        feature_clip("ok", seed=4),
    ]
    store = build_store(FakeSource(items), tmp_path / "s", progress=False)
    assert list(store.names) == ["ok"]
    np.testing.assert_array_equal(store.features(0), items[-1].features)
    np.testing.assert_allclose(store.mean, items[-1].features.mean(0), atol=1e-6)
    reasons = {bad.name: bad.reason for bad in store.rejected}
    assert "test and train" in reasons["twice"]
    assert "2 clips" in reasons["one"]


def test_statistics_are_of_the_train_split_and_shared_within_a_group(tmp_path):
    train = [feature_clip(str(i), frames=50, seed=i) for i in range(3)]
    other = feature_clip("test", "test", features=np.full((50, 263), 9, np.float32))
    store = build_store(FakeSource([*train, other]), tmp_path / "s", progress=False)
    frames = np.concatenate([clip.features for clip in train]).astype(np.float64)
    np.testing.assert_allclose(store.mean, frames.mean(0), atol=1e-6)
    for group in channel_groups(HUMANML3D):
        np.testing.assert_allclose(store.std[group], frames.std(0)[group].mean(), rtol=1e-5)


def test_constant_channels_keep_a_std_above_zero(tmp_path):
    clip = feature_clip("still", features=np.ones((20, 263), np.float32))
    store = build_store(FakeSource([clip]), tmp_path / "s", progress=False)
    assert (store.std > 0).all()


def test_motiongpt_normalisation_emphasises_root_and_contacts(tmp_path):
    source = FakeSource([feature_clip("a", frames=50)])
    plain = build_store(source, tmp_path / "a", progress=False)
    weighted = build_store(source, tmp_path / "b", progress=False, normalisation="motiongpt")
    expected = np.ones(263)
    expected[:4] = expected[259:] = 25
    np.testing.assert_allclose(plain.std / weighted.std, expected, rtol=1e-5)


def test_unknown_normalisation_names_the_known(tmp_path):
    with pytest.raises(UserError, match="humanml3d, motiongpt"):
        build_store(mixed_source(), tmp_path / "s", progress=False, normalisation="minmax")


def test_empty_train_split_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no usable clip in the train split.*short \(too short"):
        build_store(
            FakeSource([feature_clip("short", frames=3), feature_clip("v", "val")]),
            tmp_path / "s",
            progress=False,
        )
    assert list(tmp_path.iterdir()) == []


def test_failure_half_way_leaves_the_old_store(tmp_path):
    old = build_store(mixed_source(), tmp_path / "s", progress=False)

    class Breaks(FakeSource):
        def clips(self):
            yield feature_clip("new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_store(Breaks([]), tmp_path / "s", progress=False, batch=1)
    assert MotionStore.open(tmp_path / "s").content_fingerprint() == old.fingerprint
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_killed_build_leaves_the_old_store_and_is_cleaned_up_by_the_next(tmp_path):
    old = build_store(mixed_source(), tmp_path / "s", progress=False)

    class Killed(FakeSource):
        def clips(self):
            yield feature_clip("new")
            os._exit(9)

    child = os.fork()
    if not child:
        build_store(Killed([]), tmp_path / "s", progress=False)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert len(list(tmp_path.iterdir())) == 2
    assert MotionStore.open(tmp_path / "s").content_fingerprint() == old.fingerprint
    build_store(mixed_source(), tmp_path / "s", progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_building_again_replaces_the_store(tmp_path):
    build_store(mixed_source(), tmp_path / "s", progress=False)
    build_store(FakeSource([feature_clip("new")]), tmp_path / "s", progress=False)
    assert list(MotionStore.open(tmp_path / "s").names) == ["new"]
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


@pytest.mark.parametrize(
    "damage",
    ["absent", "foreign", "no json", "version", "missing file", "truncated", "other shape"],
)
def test_broken_folder_is_refused_with_the_command_that_mends_it(tmp_path, damage):
    folder = tmp_path / "s"
    build_store(mixed_source(), folder, progress=False)
    if damage == "absent":
        shutil.rmtree(folder)
    elif damage == "foreign":
        (folder / "store.json").write_text("[]")
    elif damage == "no json":
        (folder / "store.json").write_text("{")
    elif damage == "version":
        text = (folder / "store.json").read_text()
        (folder / "store.json").write_text(text.replace('"format": 1', '"format": 99'))
    elif damage == "missing file":
        (folder / "captions.bytes.npy").unlink()
    elif damage == "truncated":
        content = (folder / "features.npy").read_bytes()
        (folder / "features.npy").write_bytes(content[: len(content) // 2])
    else:
        np.save(folder / "mean.npy", np.zeros(251, np.float32))
    with pytest.raises(UserError, match="motiongpt data prepare") as caught:
        MotionStore.open(folder)
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)


def test_unknown_split_names_the_known(tmp_path):
    store = build_store(mixed_source(), tmp_path / "s", progress=False)
    with pytest.raises(UserError, match="train, val, test"):
        store.indices("dev")


def test_pickled_store_carries_no_frames(tmp_path):
    store = build_store(
        FakeSource([feature_clip("a", frames=5000)]), tmp_path / "s", progress=False
    )
    content = pickle.dumps(store)
    assert len(content) < 10_000
    np.testing.assert_array_equal(pickle.loads(content).features(0), store.features(0))


def test_counts_and_rejected_clips_are_printed(tmp_path, capsys):
    source = FakeSource([feature_clip("a"), feature_clip("b", "val"), feature_clip("c", frames=2)])
    build_store(source, tmp_path / "s", name="mine")
    assert "mine: 1 train, 1 val, 0 test; 1 rejected: c (too short" in capsys.readouterr().out
