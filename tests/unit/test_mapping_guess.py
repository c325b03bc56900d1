"""The mapping of an unknown file: names of real programs, units, axes, and what is likely wrong."""

import re
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from launch.cli import main
from motiongpt.data.bvh import parse_bvh
from motiongpt.data.bvh_forward import world_positions
from motiongpt.data.joint_guess import guess_joints
from motiongpt.data.joint_mapping import fitting_mappings, load_mapping
from motiongpt.data.joint_words import is_aside, side_of, words_of
from motiongpt.data.mapping_file import find_mapping, mapping_text
from motiongpt.errors import UserError
from motiongpt.motion.plausible import bone_problem, lies, size_problem
from motiongpt.motion.skeleton import HUMANML3D
from tests.shared import shared
from tests.unit.bvh_joints import bvh_to_joints
from tests.unit.bvh_text import write
from tests.unit.rigs import RIGS, rig

LIMBS = ("hip", "knee", "ankle", "foot", "shoulder", "elbow", "wrist")


@pytest.mark.parametrize(
    ("name", "words", "side"),
    [
        ("mixamorig:LeftUpLeg", ["left", "up", "leg"], "left"),
        ("CC_Base_R_Thigh", ["cc", "base", "r", "thigh"], "right"),
        ("lThigh", ["l", "thigh"], "left"),
        ("rfemur", ["r", "femur"], "right"),
        ("leftfoot", ["left", "foot"], "left"),
        ("thigh_l", ["thigh", "l"], "left"),
        ("Bip01 R UpperArm", ["bip", "01", "r", "upper", "arm"], "right"),
        ("LHipJoint", ["l", "hip", "joint"], "left"),
        ("Spine1", ["spine", "1"], None),
        ("LowerBack", ["lower", "back"], None),
    ],
)
def test_names_of_joints(name, words, side):
    assert (words_of(name), side_of(name)) == (words, side)


def test_joints_beside_the_body_are_known():
    aside = [
        "CC_Base_L_CalfTwist01",
        "LeftHandThumb1",
        "LeftInHandIndex",
        "HeadTop_End",
        "LeftEye",
        "arm_ik_l",
    ]
    assert all(map(is_aside, aside))
    assert not any(
        map(is_aside, ("LeftForeArm", "CC_Base_NeckTwis", "Head", "LeftToeBase", "Chest4"))
    )


@pytest.mark.parametrize("name", RIGS)
def test_shipped_mappings_read_real_rigs(name, tmp_path):
    path = write(tmp_path / "a.bvh", rig(name))
    joints = bvh_to_joints(path)
    assert size_problem(joints) is None and bone_problem(joints) is None and not lies(joints)
    found = find_mapping(parse_bvh(path.read_bytes(), "a.bvh"), "a.bvh")
    assert (found.shipped, found.differs, found.doubts) == (RIGS[name][2], "", ())
    feet = joints[:, [7, 8, 10, 11], 1]
    assert feet.max() - feet.min() < 0.45 and 1.3 < joints[0, 15, 1] - feet.min() < 1.8


@pytest.mark.parametrize("name", RIGS)
def test_the_guess_agrees_with_the_shipped_mapping(name):
    bvh = parse_bvh(rig(name), "a")
    positions = world_positions(bvh)
    guess = guess_joints(bvh.joints, positions)
    assert guess.missing == ()
    shipped = load_mapping(RIGS[name][2])
    index = {joint.name: i for i, joint in enumerate(bvh.joints)}
    for target, sources in guess.joints.items():
        wanted = [n for n in index if shipped.bare(n) in shipped.joints[target]]
        here = positions[0, [index[n] for n in sources]].mean(0)
        there = positions[0, [index[n] for n in wanted]].mean(0)
        assert np.linalg.norm(here - there) < (1e-6 if target.endswith(LIMBS) else 6), target


@pytest.mark.parametrize("prefix", ["mixamorig:", "mixamorig12:", "Model_", "Character1_", "a|b:"])
def test_any_prefix_of_a_character_is_read(prefix, tmp_path):
    plain = bvh_to_joints(write(tmp_path / "a.bvh", rig("mixamo")))
    named = bvh_to_joints(write(tmp_path / "b.bvh", rig("mixamo", prefix=prefix)))
    np.testing.assert_array_equal(plain, named)


def test_the_longer_spine_wins_and_strangers_still_clash():
    text = rig("mixamo").replace(
        "JOINT Neck", "JOINT Spine3\n{\nOFFSET 0 8 0\nCHANNELS 0\nJOINT Neck"
    )
    names = re.findall(r"(?:ROOT|JOINT) (\S+)", text)
    assert [m.name for m in fitting_mappings(tuple(names))] == ["motionbuilder"]
    assert [m.name for m in fitting_mappings(tuple(names[:-1]))] == []


@pytest.mark.parametrize(
    ("scale", "unit"), [(0.01, 1.0), (1, 0.01), (10, 0.001), (1 / 2.54, 0.0254)]
)
def test_unit_and_axis_come_from_the_body(scale, unit):
    for name, axis in (("mixamo", "Y"), ("actorcore", "Z")):
        found = find_mapping(parse_bvh(rig(name, scale=scale), "a"), "a")
        assert (found.mapping.metres_per_unit, found.mapping.up_axis) == (unit, axis)
        assert bool(found.differs) == (scale != 1) and 0.8 < found.units.leg < 0.92


def test_a_unit_that_nobody_knows_gives_a_body():
    found = find_mapping(parse_bvh(rig("xsens", scale=123.4), "a"), "a")
    assert "no known unit" in found.units.unit and found.units.leg == pytest.approx(0.82, abs=0.001)


def test_joints_that_coincide_move_to_where_their_bone_is():
    text = rig("xsens").replace("OFFSET -3.028 7.792 0", "OFFSET 0 0 0")
    bvh = parse_bvh(text.replace("Chest", "Back"), "a")
    guess = guess_joints(bvh.joints, world_positions(bvh))
    assert guess.joints["right_collar"] == ("RightCollar",)  # Back3 is the chest, Back4 lies beyond
    joints = find_mapping(bvh, "a").joints
    assert bone_problem(joints) is None


def test_a_body_without_names_says_what_is_missing():
    text = rig("lafan1").replace("Foot", "Pfote").replace("Toe", "Zehe")
    bvh = parse_bvh(text, "a.bvh")
    with pytest.raises(UserError, match=r"a\.bvh: no joint found for .*left_ankle") as caught:
        find_mapping(bvh, "a.bvh")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"left_knee": ("LeftFoot",)}, "left_knee"),
        ({"left_elbow": ("LeftHand",)}, "left_elbow"),
        ({"left_elbow": ("LeftHand",), "right_elbow": ("RightHand",)}, "elbow"),
        ({"left_wrist": ("LeftHandThumb1",)}, None),
    ],
)
def test_a_wrong_joint_is_doubted(wrong, said):
    bvh = parse_bvh(rig("mixamo"), "a")
    mapping = load_mapping("mixamo")
    found = find_mapping(bvh, "a", replace(mapping, joints={**mapping.joints, **wrong}))
    assert (found.doubts == ()) == (said is None)
    assert said is None or said in found.doubts[0]


def test_swapped_sides_are_doubted():
    mapping = load_mapping("mixamo")
    other = {"left": "right", "right": "left"}
    swapped = {
        name: mapping.joints["_".join([other.get(part, part) for part in name.split("_")])]
        for name in HUMANML3D.joint_names
    }
    found = find_mapping(parse_bvh(rig("mixamo"), "a"), "a", replace(mapping, joints=swapped))
    assert "left and right are likely swapped" in found.doubts[0]


@pytest.mark.parametrize("name", ["mixamo", "actorcore"])
def test_the_yaml_gives_the_same_joints(name, tmp_path):
    path = write(tmp_path / "a.bvh", rig(name, prefix="hero:"))
    found = find_mapping(parse_bvh(path.read_bytes(), "a"), "a")
    own = write(tmp_path / "own.yaml", mapping_text(found.mapping, ["mine"]))
    np.testing.assert_allclose(bvh_to_joints(path, own), bvh_to_joints(path), atol=1e-6)


def test_the_command_writes_yaml_and_picture(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "walk.bvh", rig("lafan1").replace("Spine", "Rachis"))
    assert main(["data", "mapping", "walk.bvh"]) == 0
    said = capsys.readouterr().out
    assert "left_knee       LeftLeg" in said and "data.source.mapping=walk.mapping.yaml" in said
    picture = np.asarray(Image.open("walk.mapping.png").convert("RGB")).astype(int)
    assert ((picture[..., 2] - picture[..., 0]) > 150).sum() > 200  # the left side, blue
    assert bvh_to_joints("walk.bvh", "walk.mapping.yaml").shape[1:] == (22, 3)
    assert main(["data", "mapping", "walk.bvh"]) == 2
    assert "--again replaces it" in capsys.readouterr().err
    wrong = (
        (tmp_path / "walk.mapping.yaml")
        .read_text()
        .replace("left_knee: LeftLeg", "left_knee: LeftToe")
    )
    write(tmp_path / "wrong.yaml", wrong)
    assert main(["data", "mapping", "walk.bvh", "--mapping", "wrong.yaml"]) == 1
    assert "warning: hip to knee" in capsys.readouterr().out


KINDS = {"LHipJoint": "01_01", "lThigh": "11_01", "LeftCollar": "131_02"}


@pytest.fixture(scope="module")
def cmu_files():
    """One file of each kind, by its name; the archive is read once."""
    archive = shared("data", "cmu_captioned", "motions.tar.xz")
    found = {}
    with tarfile.open(archive) as opened:
        for member in opened:
            name = Path(member.name).stem
            if member.name.endswith(".bvh") and name in KINDS.values():
                found[name] = opened.extractfile(member).read()
            if len(found) == len(KINDS):
                break
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_cmus_three_kinds_of_files(kind, cmu_files):
    wanted = KINDS[kind]
    content = cmu_files[wanted]
    assert kind.encode() in content
    bvh = parse_bvh(content, wanted)
    found = find_mapping(bvh, wanted)
    assert found.shipped.startswith("cmu") and found.differs == "" and found.doubts == ()
    assert guess_joints(bvh.joints, found.positions).missing == ()
