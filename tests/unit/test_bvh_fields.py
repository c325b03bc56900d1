"""BVH as the programs of the field write it: end sites, prefixes, units, axes, zero bones."""

import re

import numpy as np
import pytest

from launch.cli import main
from motiongpt import Motion
from motiongpt.data.bvh import parse_bvh
from motiongpt.data.bvh_folder import BvhFolderSource
from motiongpt.data.clip import BadClip, Clip
from motiongpt.data.joint_mapping import load_mapping
from motiongpt.errors import UserError
from motiongpt.motion.plausible import lies
from motiongpt.motion.skeleton import HUMANML3D, KIT
from tests.shared import shared
from tests.unit.bvh_joints import bvh_to_joints
from tests.unit.bvh_text import ROOT_CHANNELS, file, joint, stick, write
from tests.unit.fake_source import rest_pose

ROWS = np.arange(27).reshape(3, 9)


def body(names=HUMANML3D.joint_names, scale=1.0, z_up=False) -> str:
    """The rest pose, all joints children of a root at the pelvis, with these names."""
    pose = rest_pose()[:, [0, 2, 1]] * [1, -1, 1] if z_up else rest_pose()
    offsets = ((pose - pose[0]) * scale).round(6)
    children = [joint(names[i], offset=offsets[i], channels=()) for i in range(1, len(names))]
    hierarchy = joint(names[0], (0, 0, 0), ROOT_CHANNELS, children, kind="ROOT")
    return file(hierarchy, np.zeros((30, 6)))


@pytest.mark.parametrize(
    "spelling", ["End Site", "End site", "END SITE", "EndSite", "End_Site", "End Site tip", "End"]
)
def test_spellings_of_end_site(spelling):
    text = file(
        joint("a", channels=ROOT_CHANNELS, children=[joint("b", end=(0, 1, 0))], kind="ROOT"), ROWS
    )
    found = parse_bvh(text.replace("End Site", spelling), "x")
    assert found.joint_names == ("a", "b", "b/End")
    assert parse_bvh(text.replace("End Site\n{", f"{spelling} {{"), "x").joint_names[2] == "b/End"


def test_keywords_in_any_case():
    text = file(joint("a", channels=ROOT_CHANNELS, kind="ROOT"), ROWS[:, :6])
    for word in ("HIERARCHY", "ROOT", "OFFSET", "CHANNELS", "MOTION", "Frames:", "Frame Time:"):
        text = text.replace(word, word.capitalize())
    assert parse_bvh(text, "x").joint_names == ("a",)


@pytest.mark.parametrize(
    "prefix", ["mixamorig:", "mixamorig1:", "mixamorig12:", "mixamorig_", "mixamorig", "Mixamorig:",
               "", "Armature|mixamorig:", "hero:"]
)  # fmt: skip
def test_mixamo_with_any_prefix_or_none(prefix, tmp_path):
    plain = stick(20, mapping="mixamo")
    names = {name for sources in load_mapping("mixamo").joints.values() for name in sources}
    text = re.sub(r"JOINT (\w+)", lambda m: f"JOINT {prefix * (m[1] in names)}{m[1]}", plain)
    expected = bvh_to_joints(write(tmp_path / "plain.bvh", plain))
    np.testing.assert_array_equal(bvh_to_joints(write(tmp_path / "a.bvh", text)), expected)


def test_two_characters_in_one_file_are_not_mixed(tmp_path):
    text = stick(20, mapping="mixamo")
    twin = joint("hero:Hips", channels=())
    text = text.replace("JOINT Head\n", f"{twin}\nJOINT Head\n", 1)
    with pytest.raises(UserError, match="no joint mapping fits; .* expects joint Hips;"):
        bvh_to_joints(write(tmp_path / "a.bvh", text))


@pytest.mark.parametrize(
    ("scale", "said"), [(0.01, "a body of 0.0"), (10.0, "a body of 1"), (1.0, None)]
)
def test_a_body_of_no_persons_size_is_refused_with_the_way_out(scale, said, tmp_path):
    path = write(tmp_path / "a.bvh", body(scale=scale))
    if said is None:
        assert bvh_to_joints(path).shape == (20, 22, 3)
        return
    for read in (bvh_to_joints, Motion.from_file):
        with pytest.raises(UserError, match=rf"a\.bvh: {said}.* metres_per_unit") as caught:
            read(path)
        assert "\n" not in str(caught.value)
    mended = bvh_to_joints(path, metres_per_unit=1 / scale)
    np.testing.assert_allclose(np.ptp(mended[0], axis=0), np.ptp(rest_pose(), axis=0), atol=1e-3)
    (clip,) = BvhFolderSource(str(tmp_path), None).clips()
    assert isinstance(clip, BadClip) and "metres_per_unit" in clip.reason


def test_a_file_with_z_up_is_said_and_can_be_turned(tmp_path, capsys):
    path, out = write(tmp_path / "a.bvh", body(z_up=True)), tmp_path / "a.npy"
    assert main(["data", "joints", str(path), str(out)]) == 0
    assert "--up-axis Z" in capsys.readouterr().err
    assert lies(np.load(out))
    assert main(["data", "joints", str(path), str(out), "--up-axis", "Z"]) == 0
    assert "warning" not in capsys.readouterr().err and not lies(np.load(out))
    np.testing.assert_allclose(
        np.load(out)[0] - np.load(out)[0, 0], rest_pose() - rest_pose()[0], atol=1e-5
    )
    with pytest.warns(UserWarning, match="is Z up"):
        Motion.from_file(path)


def test_a_folder_with_z_up_is_refused_unless_it_is_said(tmp_path):
    for name in "abc":
        write(tmp_path / f"{name}.bvh", body(z_up=True))
    with pytest.raises(UserError, match=r"3 of 3 files \(a, b, c\): .*data\.source\.up_axis=Z"):
        list(BvhFolderSource(str(tmp_path), None).clips())
    for axis in ("Y", "Z"):
        source = BvhFolderSource(str(tmp_path), None, up_axis=axis)
        assert all(isinstance(clip, Clip) for clip in source.clips())
        assert not any("up_axis" in line for line in source.warnings)
    for name in "abc":
        write(tmp_path / f"upright_{name}.bvh", body())
    source = BvhFolderSource(str(tmp_path), None)
    assert len(list(source.clips())) == 6
    assert any("3 of 6 files (a, b, c)" in line for line in source.warnings)


def test_a_bone_without_length_is_named_with_the_mapping(tmp_path):
    folder = tmp_path / "data"
    write(
        folder / "a.bvh",
        body().replace("JOINT spine1\n{\nOFFSET", "JOINT spine1\n{\nOFFSET 0 0 0\n#"),
    )
    text = (folder / "a.bvh").read_text()
    write(folder / "a.bvh", re.sub(r"\n#.*", "", text))
    (clip,) = BvhFolderSource(str(folder), None).clips()
    assert clip == BadClip(
        "a",
        "degenerate joints: spine1 and pelvis coincide in frame 0 by the joint mapping 'humanml3d'",
    )


@pytest.mark.parametrize("skeleton", [HUMANML3D, KIT], ids=lambda one: one.name)
def test_our_own_export_is_read_by_all_readers(skeleton, tmp_path):
    offsets = skeleton.offsets().numpy()
    pose = np.zeros((skeleton.n_joints, 3), np.float32)
    for index, parent in enumerate(skeleton.parents):
        if parent >= 0:
            pose[index] = pose[parent] + offsets[index]
    joints = np.tile(pose + [0, 1, 0], (30, 1, 1))
    path = Motion.from_joints(joints, 20, skeleton=skeleton).save(tmp_path / "own.bvh")
    assert Motion.from_file(path).skeleton is skeleton
    found = bvh_to_joints(path)
    shared_names = set(skeleton.joint_names) & set(HUMANML3D.joint_names)
    for name in shared_names:
        at = skeleton.joint_names.index(name), HUMANML3D.joint_names.index(name)
        np.testing.assert_allclose(found[:, at[1]], joints[:, at[0]], atol=1e-3)
    (clip,) = BvhFolderSource(str(tmp_path), None).clips()
    assert isinstance(clip, Clip)


def test_the_cmu_skeleton_with_its_zero_offsets(tmp_path):
    folder = shared("cases/cmu-mapping-zero-bones")
    clips = list(BvhFolderSource(str(folder), "captions.csv").clips())
    assert len(clips) == 2 and all(isinstance(clip, Clip) for clip in clips)
