import numpy as np
import pytest

from launch.cli import main
from motiongpt.data.build import build_store
from motiongpt.data.clip import BadClip, Caption
from motiongpt.data.humanml3d import HumanML3DSource
from motiongpt.data.verify import verify_source
from motiongpt.errors import UserError
from tests.unit.fake_source import FakeSource, feature_clip, joint_clip
from tests.unit.humanml3d_folder import WHOLE, Folder


def with_nan() -> np.ndarray:
    features = np.ones((60, 263), np.float32)
    features[7:9, 11] = np.nan
    return features


def nan_clip(folder: Folder) -> None:
    folder.clip("M007975", features=with_nan())


def wrong_width(folder: Folder) -> None:
    folder.clip("narrow", features=np.ones((60, 251), np.float32))


def too_short(folder: Folder) -> None:
    folder.clip("short", frames=39)


def unreadable(folder: Folder) -> None:
    folder.clip("garbage")
    folder.motion("garbage").write_bytes(b"not an array")


def truncated(folder: Folder) -> None:
    folder.clip("cut")
    content = folder.motion("cut").read_bytes()
    folder.motion("cut").write_bytes(content[: len(content) // 2])


def empty_file(folder: Folder) -> None:
    folder.clip("hollow")
    folder.motion("hollow").write_bytes(b"")


def pickled(folder: Folder) -> None:
    folder.clip("objects")
    np.save(folder.motion("objects"), np.array([{}], dtype=object), allow_pickle=True)


def text_missing(folder: Folder) -> None:
    folder.clip("mute", text=None)


def text_empty(folder: Folder) -> None:
    folder.clip("blank", text=" \n\n")


def text_without_caption(folder: Folder) -> None:
    folder.clip("nameless", text="#a/DET#0.0#0.0")


def text_malformed(folder: Folder) -> None:
    folder.clip("fields", text=f"{WHOLE}\nwalks#walk/VERB")


def text_without_times(folder: Folder) -> None:
    folder.clip("times", text="walks#walk/VERB#a#b")


def text_not_utf8(folder: Folder) -> None:
    folder.clip("latin")
    (folder.path / "texts" / "latin.txt").write_bytes(b"caf\xe9#x#0#0")


def in_two_splits(folder: Folder) -> None:
    folder.clip("leak")
    folder.clip("leak", "test")


def absent(folder: Folder) -> None:
    folder.clip("gone")
    folder.motion("gone").unlink()


DEFECTS = {
    nan_clip: ("M007975", "NaN or infinity in 2 of 60 frames, first in frame 7"),
    wrong_width: ("narrow", "wrong width: features of shape (60, 251), expected (T, 263)"),
    too_short: ("short", "too short: 39 frames"),
    unreadable: ("garbage", "unreadable"),
    truncated: ("cut", "unreadable"),
    empty_file: ("hollow", "unreadable"),
    pickled: ("objects", "unreadable"),
    text_missing: ("mute", "text missing"),
    text_without_caption: ("nameless", "line 1 has an empty caption"),
    text_malformed: ("fields", "line 2 has 2 fields, expected caption#tokens#from#to"),
    text_without_times: ("times", "line 1 has 'a' where seconds are expected"),
    text_not_utf8: ("latin", "text unreadable"),
    in_two_splits: ("leak", "in two splits: test and train"),
    absent: ("gone", "listed but absent"),
}


def test_a_clip_without_caption_is_a_finding_and_in_the_store(tmp_path):
    folder = Folder(tmp_path / "data")
    folder.clip("good")
    text_empty(folder)
    source = HumanML3DSource(str(folder.path))
    report = verify_source(source, progress=False)
    assert not report.ok and not report.bad and report.silent == ("blank",)
    assert report.lines()[0] == "no caption: blank" and report.good["train"] == 2
    assert report.lines()[-1] == "1 without caption, in the store for what needs no words"
    store = build_store(source, tmp_path / "store", progress=False)
    assert dict(zip(store.names, map(store.captions, range(2)), strict=True))["blank"] == ()


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.__name__)
def test_each_defect_is_named_and_kept_out_of_the_store(tmp_path, defect):
    name, reason = DEFECTS[defect]
    folder = Folder(tmp_path / "data")
    folder.clip("good")
    defect(folder)
    source = HumanML3DSource(str(folder.path))
    report = verify_source(source, progress=False)
    assert not report.ok
    assert [bad.name for bad in report.bad] == [name]
    assert reason in report.bad[0].reason
    assert any(name in line and reason in line for line in report.lines())
    store = build_store(source, tmp_path / "store", progress=False)
    assert list(store.names) == ["good"]
    assert [bad.name for bad in store.rejected] == [name]


def test_all_defects_at_once_are_all_named(tmp_path):
    folder = Folder(tmp_path / "data")
    folder.clip("good")
    for defect in DEFECTS:
        defect(folder)
    report = verify_source(HumanML3DSource(str(folder.path)), progress=False)
    assert {bad.name for bad in report.bad} == {name for name, _ in DEFECTS.values()}
    assert report.good == {"train": 1, "val": 0, "test": 0}
    assert report.found == {"train": len(DEFECTS) + 1, "val": 0, "test": 1}


def test_id_listed_twice_in_one_split_is_named_and_used_once(tmp_path):
    folder = Folder(tmp_path / "data")
    folder.clip("good")
    folder.clip("good")
    report = verify_source(HumanML3DSource(str(folder.path)), progress=False)
    assert report.bad == (BadClip("train.txt", "names good 2 times; one is used"),)
    assert report.good["train"] == 1


def test_counts_found_stand_beside_counts_expected(tmp_path):
    folder = Folder(tmp_path / "data")
    folder.clip("a")
    folder.clip("b", "test", frames=150, text=f"{WHOLE}\nsits#sit/VERB#0#3")
    right = {"train": 1, "val": 0, "test": 1}
    report = verify_source(HumanML3DSource(str(folder.path), expected_counts=right), progress=False)
    assert report.ok
    assert report.good["test"] == 2
    assert report.lines()[-1] == "all good"
    wrong = {"train": 23384, "val": 0, "test": 1}
    report = verify_source(HumanML3DSource(str(folder.path), expected_counts=wrong), progress=False)
    assert not report.ok
    lines = report.lines()
    assert lines[0] == "train found 1, expected 23,384, usable 1  <- differs"
    assert "train" in lines[-1]


def test_any_source_can_be_verified():
    items = [
        joint_clip("ok"),
        feature_clip("short", frames=3),
        BadClip("x.bvh", "row 7 malformed"),
        feature_clip("twice"),
        feature_clip("twice", "val"),
    ]
    report = verify_source(FakeSource(items), progress=False)
    assert {bad.name for bad in report.bad} == {"short", "x.bvh", "twice"}
    assert report.good == {"train": 1, "val": 0, "test": 0}
    assert report.found == {"train": 3, "val": 1, "test": 0}


def test_nothing_to_train_on_is_not_ok():
    report = verify_source(FakeSource([feature_clip("v", "val")]), progress=False)
    assert not report.ok
    assert "no usable clip to train on" in report.lines()[-1]


def zero_std(folder: Folder) -> str:
    np.save(folder.path / "Mean.npy", np.zeros(263, np.float32))
    np.save(folder.path / "Std.npy", np.zeros(263, np.float32))
    return "Std.npy is not above zero in every channel"


def half_of_the_statistics(folder: Folder) -> str:
    np.save(folder.path / "Mean.npy", np.zeros(263, np.float32))
    return "Std.npy can't be used"


@pytest.mark.parametrize("spoil", [zero_std, half_of_the_statistics])
def test_statistics_that_prepare_refuses_are_named(spoil, tmp_path, capsys):
    folder = Folder(tmp_path / "data")
    folder.clip("good")
    said = spoil(folder)
    report = verify_source(HumanML3DSource(str(folder.path)), progress=False)
    assert not report.ok and not report.usable and said in report.lines()[-1]
    with pytest.raises(UserError, match=said):
        build_store(HumanML3DSource(str(folder.path)), tmp_path / "store", progress=False)
    words = ["data=humanml3d", f"data.source.path={folder.path}", f"paths.root={tmp_path}"]
    assert main(["data", "verify", *words]) == 1
    assert said in capsys.readouterr().out


DEGENERATE = {
    "zero_bone": np.tile(np.eye(22, 3, dtype=np.float32)[None] * 0, (21, 1, 1)),
    "shorter_than_the_store_takes": joint_clip("x", frames=15).joints,
    "half_a_character": None,
}


@pytest.mark.parametrize("kind", DEGENERATE)
def test_verify_rejects_what_a_store_of_these_settings_rejects(kind, tmp_path):
    bad = joint_clip("bad", joints=DEGENERATE[kind])
    if kind == "half_a_character":
        bad = joint_clip("bad", captions=(Caption("a \ud800 walks"),))
    source = FakeSource([joint_clip("good", frames=40), bad])
    settings = {"min_frames": 20 if kind.startswith("shorter") else 8}
    report = verify_source(source, progress=False, **settings)
    store = build_store(source, tmp_path / "s", progress=False, **settings)
    assert report.bad == store.rejected and [one.name for one in report.bad] == ["bad"]


def test_verify_fails_where_no_clip_can_be_used_and_else_only_if_strict(tmp_path, capsys):
    folder = Folder(tmp_path / "data")
    folder.clip("good")
    folder.clip("bad", features=with_nan())
    words = ["data=humanml3d", f"data.source.path={folder.path}", f"paths.root={tmp_path}"]
    words.append("data.source.expected_counts=null")
    assert main(["data", "verify", *words]) == 0
    assert main(["data", "verify", *words, "--strict"]) == 1
    folder.motion("good").unlink()
    assert main(["data", "verify", *words]) == 1
    assert "no usable clip to train on" in capsys.readouterr().out
