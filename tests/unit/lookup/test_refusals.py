"""Bad stores, options and requests are answered in one line."""

import numpy as np
import pytest

from motiongpt.data.build import build_store
from motiongpt.data.store import MotionStore
from motiongpt.data.string_table import StringLists
from motiongpt.errors import UserError
from motiongpt.methods.base import MotionFormat, Request
from motiongpt.methods.lookup.memory import Memory
from motiongpt.methods.lookup.method import Lookup
from motiongpt.motion.skeleton import KIT
from tests.unit.fake_source import FakeSource, feature_clip
from tests.unit.lookup.parts import FORMAT, trained


def one_line(error):
    assert "\n" not in str(error.value)


def test_an_absent_store_is_one_line(clips, store, tmp_path):
    own = build_store(FakeSource(clips[:30]), tmp_path / "own", progress=False)
    trained(own, tmp_path)
    folders = {"memory": tmp_path / "model"}
    (tmp_path / "own").rename(tmp_path / "elsewhere")
    with pytest.raises(UserError, match="own, which is gone; open it where that path") as error:
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
