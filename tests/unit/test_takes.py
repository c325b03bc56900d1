"""Takes as clips: parts with captions of their own, long ones cut, splits, odd first frames."""

import numpy as np
import pytest

from launch.cli import main
from motiongpt.api.motion import Motion
from motiongpt.data.bvh_folder import BvhFolderSource
from motiongpt.data.clip import SPLITS, BadClip, Clip
from motiongpt.data.fair_splits import fair_splits
from motiongpt.data.hash_split import split_by_hash
from motiongpt.data.takes import Cutting, Take
from motiongpt.data.verify import verify_source
from motiongpt.errors import UserError
from motiongpt.motion.plausible import leap
from tests.unit.bvh_text import write
from tests.unit.rigs import rig


def take(frames: int, t_poses: int = 0, fps: float = 30.0) -> str:
    """A Mixamo body that walks slowly, after some frames of its rest pose 2 m away."""
    head, _, rows = rig("mixamo", frames).partition("Frame Time: 0.0333333\n")
    moved = []
    for index, row in enumerate(rows.splitlines()):
        numbers = [float(one) for one in row.split()]
        numbers[2] += index * 2 / fps  # centimetres
        if index < t_poses:
            numbers = [200.0, 100.0, 0.0] + [0.0] * (len(numbers) - 3)
        moved.append(" ".join(f"{number:g}" for number in numbers))
    return f"{head}Frame Time: {1 / fps:.7f}\n" + "\n".join(moved) + "\n"


def source(folder, captions=None, **settings) -> BvhFolderSource:
    return BvhFolderSource(str(folder), captions, **settings)


def clips_of(one: BvhFolderSource) -> dict[str, Clip | BadClip]:
    found = list(one.clips())
    assert len({clip.name for clip in found}) == len(found)
    return {clip.name: clip for clip in found}


def test_captions_are_about_parts_of_a_file(tmp_path):
    write(tmp_path / "a.bvh", take(301))
    lines = [
        "file,from,to,caption,split",
        "a,0,4,a person walks,val",
        "a,0,4,someone goes,",
        "a.bvh,4,,a person goes on,",
        "a,2.5,3,a short part,",
        "a,9,12,too late,",
        "a,12,,far too late,",
    ]
    write(tmp_path / "c.csv", "\n".join(lines))
    clips = clips_of(source(tmp_path, "c.csv"))
    assert list(clips) == ["a__0-4s", "a__4-end", "a__2.5-3s", "a__9-12s", "a__12-end"]
    first, second = clips["a__0-4s"], clips["a__4-end"]
    assert [one.text for one in first.captions] == ["a person walks", "someone goes"]
    assert first.split == second.split == "val"
    assert (len(first.joints), len(second.joints)) == (81, 121)
    np.testing.assert_array_equal(first.joints[-1], second.joints[0])
    assert len(clips["a__2.5-3s"].joints) == 11
    assert clips["a__9-12s"].reason == "to 12 is after the file's end, 10.00 s (line 6)"
    assert clips["a__12-end"].reason.startswith("from 12 is after the file's end")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a,4,2,x", "from 4 is not before to 2; both are seconds"),
        ("a,soon,2,x", "expected seconds from the file's start in 'from', as 12.5, found 'soon'"),
        ("a,-1,2,x", "'from'"),
        ("a,0,nan,x", "'to'"),
    ],
)
def test_parts_that_are_none_are_named(line, said, tmp_path):
    write(tmp_path / "a.bvh", take(60))
    write(tmp_path / "c.csv", f"file,from,to,caption\n{line}")
    with pytest.raises(UserError, match=r"c\.csv:2: .*") as caught:
        clips_of(source(tmp_path, "c.csv"))
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_a_long_take_is_cut_into_even_clips_of_one_split(tmp_path):
    write(tmp_path / "long.bvh", take(1801))  # a minute
    write(tmp_path / "c.csv", "file,caption\nlong,a person walks on and on\n")
    one = source(tmp_path, "c.csv")
    clips = list(clips_of(one).values())
    assert [clip.name for clip in clips][:2] == ["long__0-8.6s", "long__8.55-17.15s"]
    assert {len(clip.joints) for clip in clips} == {173} and len(clips) == 7
    assert len({clip.split for clip in clips}) == 1
    assert {clip.captions[0].text for clip in clips} == {"a person walks on and on"}
    assert any("long is longer than 9.95 s and is cut into 7 clips" in w for w in one.warnings)
    assert any("no clip in" in w and "split" in w for w in one.warnings)
    shared = list(clips_of(source(tmp_path, "c.csv", overlap=2.0)).values())
    assert len(shared) == 8
    np.testing.assert_array_equal(shared[0].joints[145:], shared[1].joints[:41])
    with pytest.raises(UserError, match=r"data\.source\.overlap=6: expected 0 to 4\.975 seconds"):
        source(tmp_path, overlap=6.0)


@pytest.mark.parametrize("rows", [8, 199, 200, 398, 399, 6000])
@pytest.mark.parametrize("overlap", [0.0, 1.0, 4.5])
def test_windows_cover_a_take(rows, overlap):
    windows = Cutting(20.0, 8, 199, overlap).windows(rows)
    assert windows[0][0] == 0 and windows[-1][1] == (199 if rows == 200 else rows)
    assert max(last - first for first, last in windows) <= 199
    steps = [(b[0] - a[1]) for a, b in zip(windows, windows[1:], strict=False)]
    assert all(-overlap * 20 - 1 <= step <= -overlap * 20 + 1 for step in steps) or len(windows) < 3
    assert all(step <= 0 for step in steps)


def of(name: str, given: str = "", bad: bool = False) -> Take:
    split = given or split_by_hash(name)
    clip = BadClip(name, "bad") if bad else Clip(name, split, ())
    return Take(name, split, bool(given), (clip,))


@pytest.mark.parametrize("count", [3, 4, 7, 20, 50, 150])
def test_each_split_has_a_take(count):
    takes = [of(f"take{number}") for number in range(count)]
    fair = fair_splits(takes)
    assert {one.split for one in fair} == set(SPLITS)
    assert [one.name for one in fair] == [one.name for one in takes]
    assert all(one.clips[0].split == one.split for one in fair)
    moved = sum(a.split != b.split for a, b in zip(takes, fair, strict=True))
    assert moved == len(set(SPLITS) - {one.split for one in takes})
    assert fair_splits(list(reversed(takes))) == list(reversed(fair))


def test_splits_that_are_given_stay_and_bad_takes_are_no_clips():
    fair = fair_splits([of(f"t{n}", given="train") for n in range(5)])
    assert {one.split for one in fair} == {"train"}
    takes = [
        *(of(f"t{n}", given="train") for n in range(5)),
        of("free"),
        of("other"),
        of("bad", bad=True),
    ]
    fair = fair_splits(takes)
    assert {one.split for one in fair if one.usable} == set(SPLITS)
    assert all(one.split == "train" for one in fair[:5])
    assert [one.split for one in fair_splits([of("alone")])] == ["train"]


def test_a_take_with_most_of_the_clips_is_trained_on():
    long = Take("long", "test", False, tuple(Clip(f"long{n}", "test", ()) for n in range(30)))
    fair = fair_splits([long, *(of(f"t{n}") for n in range(6))])
    assert fair[0].split == "train" and {one.split for one in fair} == set(SPLITS)
    given = Take("long", "test", True, long.clips)
    assert fair_splits([given, of("a"), of("b"), of("c")])[0].split == "test"


def test_a_small_folder_has_all_splits_whichever_files_are_bad(tmp_path):
    for number in range(5):
        write(tmp_path / f"t{number}.bvh", take(60))
    write(tmp_path / "broken.bvh", "HIERARCHY")
    report = verify_source(source(tmp_path), progress=False)
    assert all(report.good[split] for split in SPLITS) and not report.warnings


@pytest.mark.parametrize("poses", [0, 1, 3])
@pytest.mark.parametrize("fps", [30.0, 59.94, 120.0])
def test_a_t_pose_at_the_start_is_warned_of_everywhere(poses, fps, tmp_path, capsys):
    path = write(tmp_path / "data" / "a.bvh", take(200, poses, fps))
    (tmp_path / "data" / "b.bvh").write_text(path.read_text())
    one = source(tmp_path / "data")
    report = verify_source(one, progress=False)
    said = [line for line in report.warnings if "leaps" in line]
    out = tmp_path / "a.npy"
    assert main(["data", "joints", str(path), str(out)]) == 0
    printed = capsys.readouterr().err
    if not poses:
        assert not said and "warning" not in printed
        return
    assert said == [
        f"{tmp_path / 'data'}: 2 of 2 files (a, b): the body leaps after frame {poses}, as from a "
        f"T-pose: data.source.skip_first={poses} leaves out what is before"
    ]
    assert f"warning: the body leaps after frame {poses}" in printed
    assert f"--skip-first {poses}" in printed
    with pytest.warns(UserWarning, match=rf"skip_first={poses}"):
        Motion.from_file(path)
    # mended
    assert not [
        w
        for w in verify_source(source(tmp_path / "data", skip_first=poses), progress=False).warnings
        if "leaps" in w
    ]
    assert main(["data", "joints", str(path), str(out), "--skip-first", str(poses)]) == 0
    assert "warning" not in capsys.readouterr().err
    assert Motion.from_file(path, skip_first=poses).frames == 200 - poses
    assert np.linalg.norm(np.diff(np.load(out)[:, 0], axis=0), axis=-1).max() < 0.1


def test_fast_motion_is_no_leap():
    frames = np.arange(60)[:, None, None]
    punch = np.zeros((60, 22, 3)) + np.where(frames < 4, 0.4 * frames, 1.6)  # 12 m/s at 30 fps
    assert leap(punch, 30.0) == 0
    jump = np.zeros((60, 22, 3))
    jump[40:] += 1.0
    assert leap(jump, 30.0) == 0  # later than the first second: perhaps a cut, not a T-pose
    assert leap(jump[39:], 30.0) == 1 and leap(jump[:1], 30.0) == 0


def test_bad_options(tmp_path):
    path = write(tmp_path / "a.bvh", take(30))
    with pytest.raises(UserError, match=r"data\.source\.skip_first=-1: expected a whole number"):
        source(tmp_path, skip_first=-1)
    with pytest.raises(UserError, match="30 frames, of which skip_first=30 leaves none"):
        Motion.from_file(path, skip_first=30)
    with pytest.raises(UserError, match="metres_per_unit=0: expected a number above zero"):
        Motion.from_file(path, metres_per_unit=0)
    with pytest.raises(UserError, match="up_axis='X': expected 'Y' or 'Z'"):
        Motion.from_file(path, up_axis="X")
    np.save(tmp_path / "a.npy", np.zeros((5, 22, 3)))
    with pytest.raises(UserError, match="are of BVH files; leave them out"):
        Motion.from_file(tmp_path / "a.npy", mapping="mixamo")


def test_the_api_takes_a_mapping(tmp_path):
    path = write(tmp_path / "a.bvh", take(30).replace("Spine", "Rachis"))
    with pytest.raises(UserError, match="no joint mapping fits"):
        Motion.from_file(path)
    assert main(["data", "mapping", str(path), "--out", str(tmp_path / "m.yaml")]) == 0
    motion = Motion.from_file(path, mapping=tmp_path / "m.yaml")
    assert motion.joints.shape == (30, 22, 3) and 1.3 < np.ptp(motion.joints[0, :, 1]) < 1.8


def test_a_wrong_joint_is_warned_of_in_verify(tmp_path):
    for name in "abcd":
        write(tmp_path / f"{name}.bvh", take(40))
    assert (
        main(["data", "mapping", str(tmp_path / "a.bvh"), "--out", str(tmp_path / "m.yaml")]) == 0
    )
    text = (tmp_path / "m.yaml").read_text()
    write(
        tmp_path / "m.yaml", text.replace("left_elbow: LeftForeArm", "left_elbow: LeftHandThumb1")
    )
    report = verify_source(source(tmp_path, mapping=str(tmp_path / "m.yaml")), progress=False)
    assert any("left_elbow" in line and "data mapping" in line for line in report.warnings)
    assert not report.ok and report.usable
