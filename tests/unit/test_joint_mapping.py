import re

import numpy as np
import pytest
import yaml

from motiongpt.data.bvh import parse_bvh
from motiongpt.data.bvh_forward import world_positions
from motiongpt.data.bvh_joints import with_restored
from motiongpt.data.joint_mapping import load_mapping, mapping_files, mapping_for, shipped_mappings
from motiongpt.errors import UserError
from motiongpt.motion.skeleton import HUMANML3D
from tests.unit.bvh_joints import bvh_to_joints
from tests.unit.bvh_text import file, joint, stick, write

OWN = {
    "name": "mine",
    "metres_per_unit": 0.5,
    "up_axis": "Y",
    "joints": {name: name.upper() for name in HUMANML3D.joint_names},
}


def own(tmp_path, **changes):
    return write(tmp_path / "mine.yaml", yaml.safe_dump({**OWN, **changes}))


SHIPPED = tuple(sorted(path.stem for path in mapping_files()))


@pytest.mark.parametrize("name", SHIPPED)
def test_each_shipped_mapping_is_found_by_its_joints(name, tmp_path):
    mapping = load_mapping(name)
    assert mapping.name == name and tuple(mapping.joints) == HUMANML3D.joint_names
    names = tuple({source for sources in mapping.joints.values() for source in sources})
    assert mapping_for((*names, "another"), "x") is mapping or mapping_for(names, "x") == mapping
    path = write(tmp_path / "a.bvh", stick(4, mapping=name))
    np.testing.assert_array_equal(bvh_to_joints(path), bvh_to_joints(path, name))


BONES = "(femur|tibia|foot|toes|clavicle|humerus|radius|wrist)"  # of CMU's ASF files


def test_left_and_right_are_not_swapped_in_shipped_mappings():
    for mapping in shipped_mappings():
        for target, sources in mapping.joints.items():
            if target.startswith(("left_", "right_")):
                left = [
                    re.search(rf"_[Ll]$|^L_|[Ll]eft|^l([A-Z]|{BONES}$)", source)
                    for source in sources
                ]
                right = [
                    re.search(rf"_[Rr]$|^R_|[Rr]ight|^r([A-Z]|{BONES}$)", source)
                    for source in sources
                ]
                assert any(left) == target.startswith("left_"), target
                assert any(right) == target.startswith("right_"), target


def test_scale_order_and_means(tmp_path):
    joints = {**OWN["joints"], "spine2": ["SPINE1", "SPINE3"], "head": "NECK/End"}
    mapping = load_mapping(own(tmp_path, joints=joints))
    names = tuple(reversed([*(name.upper() for name in HUMANML3D.joint_names), "NECK/End"]))
    positions = np.random.default_rng(0).normal(size=(3, len(names), 3))
    found = mapping.apply(names, positions, "x")
    at = {name: positions[:, index] for index, name in enumerate(names)}
    for index, name in enumerate(HUMANML3D.joint_names):
        expected = at[name.upper()]
        if name == "spine2":
            expected = (at["SPINE1"] + at["SPINE3"]) / 2
        if name == "head":
            expected = at["NECK/End"]
        np.testing.assert_allclose(found[:, index], expected * 0.5, err_msg=name)


def test_up_axis_z_turns_about_x(tmp_path):
    mapping = load_mapping(own(tmp_path, up_axis="Z", metres_per_unit=1))
    names = tuple(name.upper() for name in HUMANML3D.joint_names)
    for before, after in (((0, 0, 1), (0, 1, 0)), ((0, -1, 0), (0, 0, 1)), ((1, 0, 0), (1, 0, 0))):
        found = mapping.apply(names, np.tile(np.array(before, float), (1, 22, 1)), "x")
        np.testing.assert_allclose(found, np.tile(np.array(after, float), (1, 22, 1)), atol=1e-12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"metres_per_unit": None}, "metres_per_unit must be a number above zero"),
        ({"metres_per_unit": 0}, "metres_per_unit must be a number above zero"),
        ({"metres_per_unit": True}, "metres_per_unit must be a number above zero"),
        ({"metres_per_unit": "cm"}, "metres_per_unit must be a number above zero"),
        ({"up_axis": "X"}, "up_axis is Y or Z, not X"),
        ({"unit": "cm"}, "unknown key unit"),
        ({"prefix": "("}, "prefix .* is no regular expression"),
        ({"prefix": "(a+)+:"}, "none of them after a group"),
        ({"prefix": "(a|a)" * 30}, "6 of . |"),
        ({"prefix": "a?" * 30}, "6 of . |"),
        ({"prefix": ".*.*.*:"}, r"2 of \* "),
        ({"prefix": "a" * 1_000}, "at most 200 letters"),
        ({"joints": None}, "expected name, metres_per_unit and joints"),
        ({"joints": {**OWN["joints"], "tail": "TAIL"}}, "unknown joint tail"),
        ({"joints": {k: v for k, v in OWN["joints"].items() if k != "neck"}}, "no source for neck"),
        ({"joints": {**OWN["joints"], "neck": []}}, "no source for neck"),
    ],
)
def test_bad_mappings_are_refused_by_name(changes, message, tmp_path):
    load_mapping(own(tmp_path))
    with pytest.raises(UserError, match=rf"mine\.yaml: .*{message}"):
        load_mapping(own(tmp_path, **changes))


def test_files_that_are_no_mapping(tmp_path):
    with pytest.raises(
        UserError,
        match=f"no joint mapping nothing: give the path of a yaml file, or one of {', '.join(SHIPPED)}",
    ):
        load_mapping("nothing")
    with pytest.raises(UserError, match=r"a\.yaml: not YAML"):
        load_mapping(write(tmp_path / "a.yaml", "joints: ["))
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(UserError, match=r"b\.yaml: cannot read"):
        load_mapping(tmp_path / "b.yaml")


def test_no_mapping_fits():
    with pytest.raises(
        UserError,
        match=r"a\.bvh:9: no joint mapping fits; the closest, 'cmu', expects joint LeftHand;",
    ):
        names = {source for sources in load_mapping("cmu").joints.values() for source in sources}
        mapping_for(tuple(sorted(names - {"LeftHand"})), "a.bvh:9")


def test_several_mappings_fit():
    fitting = [load_mapping(name) for name in ("bandai_namco", "cmu", "mixamo")]
    both = tuple({s for m in fitting for sources in m.joints.values() for s in sources})
    with pytest.raises(
        UserError, match=r"several joint mappings fit \(bandai_namco, cmu, mixamo\)"
    ):
        mapping_for(both, "a.bvh")


def test_bones_that_a_conversion_leaves_out_are_restored(tmp_path):
    names = load_mapping("cmu")
    assert (names.restore, load_mapping("cmu_3dsmax").restore) == (("Spine1",), ("Chest2",))
    chest = joint("Spine1", (0, 2, 1), children=[joint("Neck", (0, 0, 0)), joint("Arm", (3, 1, 0))])
    body = joint("Hips", (0, 0, 0), kind="ROOT", children=[chest])
    bvh = parse_bvh(file(body, [[0] * 12]), "a")
    places = dict(zip(bvh.joint_names, world_positions(with_restored(bvh, names))[0], strict=True))
    np.testing.assert_allclose(places["Neck"], [0, 4, 2])  # as the bone that ends in Spine1
    np.testing.assert_allclose(places["Arm"], [3, 3, 1])  # has a length: it stays
    assert with_restored(bvh, load_mapping("kit")) is bvh
    with pytest.raises(UserError, match="restore is a list of joints, not 'Spine1'"):
        load_mapping(own(tmp_path, restore="Spine1"))
