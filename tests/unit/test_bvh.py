import re
import tarfile

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from launch.cli import main
from motiongpt.data.bvh import parse_bvh, read_bvh
from motiongpt.data.bvh_forward import world_positions
from motiongpt.data.bvh_joints import on_the_floor
from motiongpt.errors import UserError
from motiongpt.motion.resample import resample_positions, resampled_length
from tests.shared import shared
from tests.unit.bvh_joints import bvh_to_joints
from tests.unit.bvh_text import ROOT_CHANNELS, file, joint, stick, write

SIX = ("Xposition", "Yposition", "Zposition", "Zrotation", "Xrotation", "Yrotation")


def test_tokens_may_be_parted_by_anything():
    text = stick(3)
    messy = (
        text.replace("\n{\n", " {\n\n").replace(" ", "\t ").replace("Frame\t Time", "Frame Time")
    )
    plain, other = parse_bvh(text, "a"), parse_bvh(messy.replace("\n", "\r\n").encode(), "b")
    assert plain.joints == other.joints
    np.testing.assert_array_equal(plain.values, other.values)
    assert (plain.fps, plain.values.shape) == (30.0, (3, 6))


@pytest.mark.parametrize(
    ("written", "fps"),
    [
        ("0.0333333", 30),
        ("0.03333", 30),
        ("0.008333", 120),
        ("0.00833", 120),
        ("0.0416667", 24),
        ("0.0333667", 29.97),
        ("0.041708", 23.976),
        ("0.04", 25),
    ],
)
def test_frame_rates_are_whole_only_where_meant(written, fps):
    found = parse_bvh(stick(2, frame_time=written), "x").fps
    assert found == pytest.approx(fps, abs=1e-3) and (found == fps) == (fps == int(fps))


def test_names_with_spaces_and_end_sites():
    text = file(
        joint(
            "Bip01 Pelvis",
            channels=ROOT_CHANNELS,
            kind="ROOT",
            children=[joint("Bip01 L Thigh", end=(1, 2, 3))],
        ),
        np.zeros((1, 9)),
    )
    assert parse_bvh(text, "x").joint_names == (
        "Bip01 Pelvis",
        "Bip01 L Thigh",
        "Bip01 L Thigh/End",
    )
    one_line = text.replace("Thigh\n{", "Thigh {")
    assert parse_bvh(one_line, "x").joints == parse_bvh(text, "x").joints


def test_deep_hierarchies_parse():
    hierarchy = joint("j2000", channels=())
    for depth in reversed(range(1, 2000)):
        hierarchy = f"JOINT j{depth}\n{{\nOFFSET 0 1 0\nCHANNELS 0\n{hierarchy}\n}}"
    text = file(
        joint("j0", channels=ROOT_CHANNELS, children=[hierarchy], kind="ROOT"), np.zeros((1, 6))
    )
    assert world_positions(parse_bvh(text, "x"))[0, -1, 1] == pytest.approx(
        2009
    )  # 1999 ones and a ten


def alone(chain, row):
    """One frame of a chain of (offset, channels), joint by joint, by scipy."""
    position, turn, places, values = np.zeros(3), Rotation.identity(), [], iter(row)
    for offset, channels in chain:
        local, angles, axes = np.array(offset, float), [], ""
        for channel in channels:
            value = next(values)
            if channel.endswith("position"):
                local["XYZ".index(channel[0])] = value
            else:
                axes, angles = axes + channel[0], [*angles, value]
        position = position + turn.apply(local)
        if axes:
            turn = turn * Rotation.from_euler(axes, angles, degrees=True)  # capitals: intrinsic
        places.append(position)
    return np.array(places)


@pytest.mark.parametrize("order", ["XYZ", "XZY", "YXZ", "YZX", "ZXY", "ZYX"])
@pytest.mark.parametrize("everywhere", [False, True], ids=["root_positions", "all_positions"])
def test_positions_against_scipy(order, everywhere):
    rotations = tuple(f"{axis}rotation" for axis in order)
    positions = ("Xposition", "Yposition", "Zposition")
    chain = [
        ((3, 90, -4), positions + rotations),
        ((5, 20, 1), positions + rotations if everywhere else rotations),
        ((0, -30, 7), (*rotations, *positions) if everywhere else rotations),
        ((2, 2, 2), ()),
    ]
    text = joint("c", *chain[2], end=chain[3][0])
    text = joint("b", *chain[1], children=[text])
    text = joint("a", *chain[0], children=[text], kind="ROOT")
    width = sum(len(channels) for _, channels in chain)
    rows = np.random.default_rng(0).uniform(-170, 170, (5, width)).round(6)
    found = world_positions(parse_bvh(file(text, rows), "x"))
    np.testing.assert_allclose(found, [alone(chain, row) for row in rows], atol=1e-9)


def test_position_channels_replace_the_offset_axis_by_axis():
    child = joint("b", (1, 2, 3), ("Yposition",))
    text = file(joint("a", (7, 8, 9), SIX, [child], kind="ROOT"), [[10, 20, 30, 0, 0, 0, 5]])
    np.testing.assert_allclose(
        world_positions(parse_bvh(text, "x"))[0], [[10, 20, 30], [11, 25, 33]]
    )


def test_joints_are_metres_at_20_fps_where_the_file_has_them(tmp_path):
    bvh = write(tmp_path / "a.bvh", stick(40))
    joints = bvh_to_joints(bvh)
    assert joints.dtype == np.float32 and joints.shape == (27, 22, 3)  # floor(39 / 30 * 20) + 1
    parsed = read_bvh(bvh)
    world = world_positions(parsed) / 100
    names = list(parsed.joint_names)
    np.testing.assert_allclose(joints[2], _mapped(world[3], names), atol=1e-5)  # both at 0.1 s
    np.testing.assert_allclose(joints[1], _mapped(world[1:3].mean(0), names), atol=1e-5)
    assert len(bvh_to_joints(bvh, fps=30.0)) == 40


def _mapped(world, names):
    pick = {"pelvis": ["Hips"], "spine2": ["Spine", "Chest"], "left_hip": ["UpperLeg_L"]}
    rows = {
        key: np.mean([world[names.index(name)] for name in of], axis=0) for key, of in pick.items()
    }
    full = [None] * 22
    full[0], full[6], full[1] = rows["pelvis"], rows["spine2"], rows["left_hip"]
    sources = {
        2: "UpperLeg_R",
        3: "Spine",
        4: "LowerLeg_L",
        5: "LowerLeg_R",
        7: "Foot_L",
        8: "Foot_R",
        9: "Chest",
        10: "Toes_L",
        11: "Toes_R",
        12: "Neck",
        13: "Shoulder_L",
        14: "Shoulder_R",
        15: "Head",
        16: "UpperArm_L",
        17: "UpperArm_R",
        18: "LowerArm_L",
        19: "LowerArm_R",
        20: "Hand_L",
        21: "Hand_R",
    }
    for index, name in sources.items():
        full[index] = world[names.index(name)]
    return np.stack(full)


@pytest.mark.parametrize(
    ("n", "fps_in", "fps_out", "expected"),
    [
        (1, 30, 20, 1),
        (2, 30, 20, 1),
        (3, 30, 20, 2),
        (4, 30, 20, 3),
        (195, 30, 20, 130),
        (121, 120, 20, 21),
        (3, 10, 20, 5),
        (7, 29.97, 20, 5),  # and times exact but for rounding:
        (1126, 1 / 0.0416, 20, 937),
    ],
)
def test_resampled_lengths_and_times(n, fps_in, fps_out, expected):
    assert resampled_length(n, fps_in, fps_out) == expected
    times = resample_positions(np.arange(n)[:, None] / fps_in, fps_in, fps_out)
    np.testing.assert_allclose(times[:, 0], np.arange(expected) / fps_out, atol=1e-6)


def test_feet_stand_on_the_floor():
    joints = np.arange(10, dtype=np.float32)[:, None, None] + np.full((10, 2, 3), 5, np.float32)
    floored = on_the_floor(joints)
    assert floored[..., 1].min() == 0 and (floored[..., [0, 2]] == joints[..., [0, 2]]).all()


def line_of(text: str, start: str) -> int:
    return next(i for i, line in enumerate(text.splitlines(), 1) if line.startswith(start))


GOOD = file(
    joint("a", channels=SIX, children=[joint("b", end=(0, 1, 0))], kind="ROOT"),
    np.arange(27).reshape(3, 9),
)
FIRST = line_of(GOOD, "Frame Time") + 1  # line of the first row
MALFORMED = {
    "text": ("hello\nworld\n", 1, "expected HIERARCHY, found 'hello'"),
    "empty": ("", 1, "expected HIERARCHY"),
    "no_motion": (GOOD.split("MOTION")[0], FIRST - 4, "expected MOTION"),
    "cut_hierarchy": ("".join(GOOD.splitlines(True)[:7]), 7, "expected OFFSET, found the end"),
    "root": (GOOD.replace("ROOT", "JOINT"), 2, "expected ROOT, found 'JOINT'"),
    "brace": (
        GOOD.replace("}\nMOTION", "MOTION"),
        FIRST - 5,
        "expected JOINT, End Site or }, found the end",
    ),
    "two_roots": (
        GOOD.replace("MOTION", "ROOT c\nMOTION"),
        FIRST - 3,
        "expected MOTION after the root joint, found 'ROOT'",
    ),
    "offset": (
        GOOD.replace("OFFSET 0 10 0", "OFFSET 0 x 0", 1),
        4,
        "expected a finite number, found 'x'",
    ),
    "offset_nan": (GOOD.replace("OFFSET 0 10 0", "OFFSET 0 nan 0", 1), 4, "found 'nan'"),
    "offset_short": (GOOD.replace("OFFSET 0 10 0", "OFFSET 0 10", 1), 5, "found 'CHANNELS'"),
    "channel": (GOOD.replace("Xposition", "Wposition"), 5, "expected one of Xposition"),
    "channel_twice": (GOOD.replace("Xposition", "Yposition"), 5, "each once"),
    "channel_count": (GOOD.replace("CHANNELS 6", "CHANNELS ²"), 5, "from 0 to 6"),
    "twin": (GOOD.replace("JOINT b", "JOINT a"), 6, "found a second 'a'"),
    "frames_text": (GOOD.replace("Frames: 3", "Frames: x"), FIRST - 2, "expected 'Frames: N'"),
    "frames_zero": (GOOD.replace("Frames: 3", "Frames: 0"), FIRST - 2, "at least 1"),
    "no_frames": (GOOD.replace("Frames: 3\n", ""), FIRST - 2, "expected 'Frames: N'"),
    "frames_too_many": (
        GOOD.replace("Frames: 3", "Frames: 4"),
        FIRST + 2,
        "expected 4 rows of motion.*found 3",
    ),
    "frames_too_few": (
        GOOD.replace("Frames: 3", "Frames: 2"),
        FIRST + 2,
        "expected 2 rows of motion.*found 3",
    ),
    "frame_time": (
        GOOD.replace("Time: 0.0333333", "Time: 0"),
        FIRST - 1,
        "expected 'Frame Time: SECONDS'",
    ),
    "frame_time_ms": (GOOD.replace("Time: 0.0333333", "Time: 33.3"), FIRST - 1, "from 0.0001 to 1"),
    "no_rows": (
        "".join(GOOD.splitlines(True)[: FIRST - 1]),
        FIRST - 1,
        "expected 3 rows of motion.*found 0",
    ),
    "cut_motion": (
        "".join(GOOD.splitlines(True)[: FIRST + 1]),
        FIRST + 1,
        "expected 3 rows.*found 2",
    ),
    "cut_header": (
        "".join(GOOD.splitlines(True)[: FIRST - 2]),
        FIRST - 2,
        "found the end of the file",
    ),
    "cut_row": (
        GOOD[:-20],
        FIRST + 2,
        "expected 9 channel values, found 7 in the last row: the file is cut off",
    ),
    "wide_row": (
        GOOD.replace("9.000000 ", "9.0 9.0 ", 1),
        FIRST + 1,
        "expected 9 channel values, found 10",
    ),
    "word": (
        GOOD.replace(" 12.000000", " twelve"),
        FIRST + 1,
        "expected a finite number, found 'twelve'",
    ),
    "nan": (GOOD.replace(" 12.000000", " nan"), FIRST + 1, "expected a finite number, found 'nan'"),
    "infinity": (
        GOOD.replace(" 12.000000", " 1e999"),
        FIRST + 1,
        "expected a finite number, found '1e999'",
    ),
    "underscore": (
        GOOD.replace(" 12.000000", " 1_2"),
        FIRST + 1,
        "expected a finite number, found '1_2'",
    ),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_files_name_file_line_and_expectation(case, tmp_path):
    parse_bvh(GOOD, "good")
    text, line, message = MALFORMED[case]
    path = write(tmp_path / "bad.bvh", text)
    with pytest.raises(UserError, match=rf"^{re.escape(str(path))}:{line}: .*{message}") as caught:
        bvh_to_joints(path)
    assert "\n" not in str(caught.value)


def test_files_that_are_not_text(tmp_path):
    path = tmp_path / "a.bvh"
    path.write_bytes(b"HIERARCHY\n\xff\xfe")
    with pytest.raises(
        UserError, match=r"a\.bvh:2: expected a BVH file of UTF-8 text, found byte 0xff"
    ):
        bvh_to_joints(path)
    for missing in (tmp_path / "none.bvh", tmp_path):
        with pytest.raises(
            UserError, match=rf"^{re.escape(str(missing))}: cannot read the BVH file: "
        ):
            bvh_to_joints(missing)


def test_joints_missing_from_a_skeleton(tmp_path):
    path = write(tmp_path / "a.bvh", stick(3, leave_out=("Hand_L",)))
    line = line_of(path.read_text(), "MOTION")
    with pytest.raises(UserError, match=rf"a\.bvh:{line}: .*'bandai_namco', expects joint Hand_L;"):
        bvh_to_joints(path)
    with pytest.raises(
        UserError, match=rf"a\.bvh:{line}: expected joint Hand_L, which .*'bandai_namco'"
    ):
        bvh_to_joints(path, "bandai_namco")


def test_coordinates_that_overflow(tmp_path):
    text = file(joint("joint_Root", channels=SIX, kind="ROOT"), [[0] * 6]).replace(
        "0.000000", "9e307", 1
    )
    body = stick(2)
    row = body.splitlines()[-1]
    path = write(tmp_path / "a.bvh", body.replace(row, text.splitlines()[-1]))
    with pytest.raises(UserError, match=r"a\.bvh: joints farther than 10000 m"):
        bvh_to_joints(path)


def test_the_command(tmp_path, capsys):
    path, out = write(tmp_path / "a.bvh", stick(40)), tmp_path / "a.npy"
    assert main(["data", "joints", str(path), str(out)]) == 0
    np.testing.assert_array_equal(np.load(out, allow_pickle=False), bvh_to_joints(path))
    assert main(["data", "joints", str(tmp_path), str(tmp_path / "b.npy")]) == 2
    assert "Is a directory" in capsys.readouterr().err and not (tmp_path / "b.npy").exists()


def test_real_capture_faces_z_with_the_left_at_x(tmp_path):
    """The first files of the real archive: heights, sides, lengths that its README reports."""
    pelvis, found = [], 0
    with tarfile.open(shared("data/bandai_namco") / "bandai_all.tar.xz", "r|xz") as archive:
        for member in archive:
            if not member.name.endswith(".bvh"):
                continue
            content = archive.extractfile(member).read()
            path = tmp_path / "real.bvh"
            path.write_bytes(content)
            joints = bvh_to_joints(path)
            n_frames = int(re.search(rb"Frames:\s*(\d+)", content)[1])
            assert len(joints) == int((n_frames - 1) / 30 * 20 + 1e-9) + 1
            left = joints[:, 1] - joints[:, 2]
            ahead = np.cross(left, [0.0, 1.0, 0.0])
            toes = joints[:, 10] - joints[:, 7] + joints[:, 11] - joints[:, 8]
            assert np.mean((ahead * toes).sum(-1) > 0) > 0.9, member.name
            pelvis.append(np.median(joints[:, 0, 1]))
            found += 1
            if found == 6:
                break
    assert np.median(pelvis) == pytest.approx(0.91, abs=0.04)
