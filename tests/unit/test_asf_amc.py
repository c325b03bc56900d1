"""ASF and AMC files: what they say, and where it is refused."""

import numpy as np
import pytest

from motiongpt.data.asf_amc.amc import channel_slices, parse_amc
from motiongpt.data.asf_amc.asf import parse_asf, read_asf
from motiongpt.data.asf_amc.forward import position_parts
from motiongpt.data.asf_amc.reading import amc_to_joints
from motiongpt.data.bvh import parse_bvh
from motiongpt.data.bvh_forward import world_positions
from motiongpt.errors import UserError
from motiongpt.motion.skeleton import HUMANML3D
from tests.unit import bvh_text
from tests.unit.asf_amc_text import BODY, PER_CENTIMETRE, ROOT, UNITS, amc, asf, bone

ARM = {
    "upper": ("root", (10, 0, 0), (0, 0, 90), "rx"),
    "lower": ("upper", (0, 5, 0), (0, 0, 0), "rz ry"),
}
PLAIN = ":units\n length 1.0\n angle deg\n"


def arm(axis=(0, 0, 90), root=ROOT, units=PLAIN, **rest):
    body = {**ARM, "upper": ("root", (10, 0, 0), axis, "rx")}
    bones = "".join(bone(name, *of, scale=1.0) for name, (_, *of) in body.items())
    return parse_asf(
        f"{units}{root}:bonedata\n{bones}:hierarchy\nbegin\nroot upper\nupper lower\nend\n", "a.asf"
    )


def motion(upper, lower="0 0", root="0 0 0 0 0 0", head=":DEGREES\n"):
    return f"{head}1\nroot {root}\nupper {upper}\nlower {lower}\n"


def positions(text, skeleton):
    return np.concatenate(list(position_parts(parse_amc(text, "a.amc", skeleton))))[0]


def test_a_bone_turns_about_its_own_axes():
    skeleton = arm()
    assert skeleton.joint_names == ("root", "upper", "lower", "lower/End")
    # about the axes of z = 90 degrees, a turn about x is one about the world's y
    np.testing.assert_allclose(
        positions(motion("90"), skeleton),
        [[0, 0, 0], [0, 0, 0], [0, 0, -10], [0, 5, -10]],
        atol=1e-6,
    )


def test_the_first_turn_comes_first_and_within_the_parent():
    # lower: 90 about z takes y to -x, then 90 about y takes -x to z
    np.testing.assert_allclose(
        positions(motion("0", "90 90"), arm()),
        [[0] * 3, [0] * 3, [10, 0, 0], [10, 0, 5]],
        atol=1e-6,
    )
    # the root: 90 about x, then 90 about y takes z to x; its place is moved first
    np.testing.assert_allclose(
        positions(motion("0", root="1 2 3 90 90 0"), arm()),
        [[1, 2, 3], [1, 2, 3], [1, 2, -7], [6, 2, -7]],
        atol=1e-6,
    )


def test_order_axes_place_and_units_of_the_root_are_read():
    turned = ROOT.replace("TX TY TZ RX RY RZ", "RZ RY RX TZ TY TX").replace("0 0 0", "5 0 0", 1)
    skeleton = arm(root=turned, units=PLAIN.replace("1.0", "0.5"))
    np.testing.assert_allclose(
        positions(motion("0", root="90 90 0 3 2 1"), skeleton)[:3],
        np.array([[6, 2, 3], [6, 2, 3], [6, 12, 3]]) / 0.5,
        atol=1e-6,
    )
    lying = arm(root=ROOT.replace("orientation 0 0 0", "orientation 0 0 90"))
    np.testing.assert_allclose(  # x about those axes is y in the world
        positions(motion("0", root="0 0 0 90 0 0"), lying)[2], [0, 0, -10], atol=1e-6
    )


def test_radians_in_either_file():
    quarter = f"{np.pi / 2:.9f}"
    expected = positions(motion("90"), arm())
    by_amc = positions(motion(quarter, head=":RADIANS\n"), arm())
    by_asf = positions(
        motion(quarter, head=""), arm(axis=(0, 0, quarter), units=PLAIN.replace("deg", "rad"))
    )
    np.testing.assert_allclose(by_amc, expected, atol=1e-5)
    np.testing.assert_allclose(by_asf, expected, atol=1e-5)


def test_without_own_axes_it_is_the_bvh_of_the_same_bones():
    body = {
        name: (parent, offset, (0, 0, 0), turns)
        for name, (parent, offset, _, turns) in BODY.items()
    }
    skeleton = parse_asf(asf(body), "a.asf")
    read = parse_amc(amc(5, body=body), "a.amc", skeleton)
    slices = channel_slices(skeleton)

    def joint(name, place, kind="JOINT"):
        turns = "rx ry rz" if name == "root" else body[name][3]
        # of a BVH the last channel is applied first
        channels = [f"{turn[1].upper()}rotation" for turn in reversed(turns.split())]
        moves = ["Xposition", "Yposition", "Zposition"] if name == "root" else []
        children = [child for child in body if body[child][0] == name]
        end = (0, 0, 0) if name == "root" else body[name][1]
        order.append((name, len(channels)))
        return bvh_text.joint(
            name, place, (*moves, *channels), [joint(child, end) for child in children],
            None if children else end, kind,
        )  # fmt: skip

    order: list[tuple[str, int]] = []
    hierarchy = joint("root", (0, 0, 0), "ROOT")
    rows = []
    for values in read.values:
        row = list(values[:3] / PER_CENTIMETRE)
        for name, count in order:
            part = values[3:6] if name == "root" else values[slices[name]] if count else values[:0]
            row += list(part[::-1])
        rows.append(row)
    other = parse_bvh(bvh_text.file(hierarchy, rows), "a.bvh")
    expected = dict(zip(other.joint_names, world_positions(other).swapaxes(0, 1), strict=True))
    found = np.concatenate(list(position_parts(read))) * 2.54
    assert len(skeleton.joint_names) == 30 == len(expected)
    for name, of_joint in zip(skeleton.joint_names, found.swapaxes(0, 1), strict=True):
        np.testing.assert_allclose(of_joint, expected[name], atol=1e-4, err_msg=name)


def test_a_motion_becomes_joints_in_metres(tmp_path):
    (tmp_path / "1.asf").write_text(asf())
    (tmp_path / "1_01.amc").write_text(amc(61, seed=None))
    joints = amc_to_joints(tmp_path / "1_01.amc", tmp_path / "1.asf", files_fps=120.0)
    assert joints.shape == (11, 22, 3) and joints.dtype == np.float32
    at = dict(zip(HUMANML3D.joint_names, joints[10], strict=True))
    pelvis = np.array([61 * 0.02, 17.0, 61 * 0.05]) / 0.45 * 0.0254
    np.testing.assert_allclose(at["pelvis"], pelvis, atol=1e-5)
    for name, beyond in {
        "left_hip": (9, -7, 0), "left_knee": (12, -47, 0), "left_ankle": (14, -85, 0),
        "left_foot": (14, -92, 13), "right_hip": (-9, -7, 0), "spine1": (0, 6, 0),
        "spine3": (0, 24, 0), "neck": (0, 46, 0), "head": (0, 56, 0),
        "left_collar": (8.5, 38.5, 0), "left_shoulder": (17, 41, 0), "left_wrist": (65, 41, 0),
    }.items():  # fmt: skip
        np.testing.assert_allclose(
            at[name] - pelvis, np.array(beyond) / 100, atol=1e-5, err_msg=name
        )
    half = amc_to_joints(tmp_path / "1_01.amc", tmp_path / "1.asf", 60.0, metres_per_unit=0.0127)
    assert half.shape == (21, 22, 3)
    np.testing.assert_allclose(half[20], joints[10] / 2, atol=1e-5)


GOOD, MOVES = asf(), amc(3)


@pytest.mark.parametrize(("old", "new", "says"), [
    (":hierarchy", ":hair", ":hierarchy"), (":root", ":boot", ":root"),
    ("length 0.45", "length 0", "length above zero"), ("angle deg", "angle turns", "deg or rad"),
    ("order TX", "order TY", "order of the root"), ("axis XYZ", "axis XYX", "order of the axes"),
    ("position 0 0 0", "position 0 0 nan", "3 finite numbers"),
    ("direction", "direction 7", "3 finite numbers"), ("name lfemur", "name ltibia", "name of its own"),
    ("dof rx ry rz", "dof rx rx", "each once"), ("dof rx ry rz", "dof tx", "rx, ry, rz"),
    ("lfemur ltibia", "lfemur lfemur", "one parent"), ("lfemur ltibia", "lfemur stone", "names of bones"),
    ("    lfemur ltibia\n", "", "not"), ("  end\n:hierarchy", ":hierarchy", "end of a bone"),
    ("direction 0.78935222", "direction 7.8", "length 1"), ("axis 0 0 20 XYZ", "axis 0 0 XYZ", "axis"),
])  # fmt: skip
def test_what_is_no_skeleton_is_refused(old, new, says):
    assert old in GOOD, old
    with pytest.raises(UserError, match=f"(?s)a.asf.*{says}"):
        parse_asf(GOOD.replace(old, new, 1), "a.asf")


def test_a_ring_of_bones_is_refused():
    ring = GOOD.replace("root lhipjoint rhipjoint lowerback", "root lhipjoint rhipjoint")
    ring = ring.replace("upperback thorax", "upperback thorax lowerback")
    assert ring.count("lowerback upperback") == 1
    with pytest.raises(UserError, match="below the root, 'lowerback' is not"):
        parse_asf(ring, "a.asf")


@pytest.mark.parametrize(("change", "says"), [
    (lambda text: text.replace("\n2\n", "\n3\n", 1), "a.amc.*frame 2 after 1, found '3'"),
    (lambda text: text.replace("ltibia", "stone", 1), "a bone of the ASF skeleton"),
    (lambda text: text.replace("ltibia", "lfemur", 1), "once in a frame|values of lfemur"),
    (lambda text: text.replace("\nltibia ", "\nltibia 1 ", 1), "1 values of ltibia, found '2'"),
    (lambda text: text.replace("\nltibia ", "\nltibia nan #", 1), "finite numbers after ltibia"),
    (lambda text: text.replace("\nltibia ", "\n#ltibia ", 1), "24|all of .* frame 1, found 'no ltibia'"),
    (lambda text: text.replace("\n1\n", "\n", 1), "number of the first frame"),
    (lambda text: text + ":DEGREES\n", "frames of motion to the end"),
    (lambda text: text.split("\n1\n")[0], "frames of motion, found"),
    (lambda text: text[: text.rindex("rwrist")], "no rwrist"),
])  # fmt: skip
def test_what_is_no_motion_is_refused(change, says):
    skeleton = parse_asf(GOOD, "a.asf")
    assert change(MOVES) != MOVES
    with pytest.raises(UserError, match=says):
        parse_amc(change(MOVES), "a.amc", skeleton)


def test_units_left_out_are_plain():
    assert parse_asf(GOOD.replace(UNITS, ""), "a.asf").length == 1.0


def test_bytes_that_are_no_text_and_files_that_are_none(tmp_path):
    with pytest.raises(UserError, match=r"a.asf:2: expected an ASF file of UTF-8 text, .*0xff"):
        parse_asf(b"#\n\xff", "a.asf")
    with pytest.raises(UserError, match="expected an AMC file of UTF-8"):
        parse_amc(b"\xff", "a.amc", parse_asf(GOOD, "a.asf"))
    with pytest.raises(UserError, match="cannot read the ASF file"):
        read_asf(tmp_path)
