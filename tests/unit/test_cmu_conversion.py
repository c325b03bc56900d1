"""One trial as an AMC with its ASF and as a BVH of the cgspeed kind: the same joints."""

import tarfile
from pathlib import Path

import numpy as np
import pytest

from motiongpt.data.asf_amc.amc import channel_slices, parse_amc
from motiongpt.data.asf_amc.asf import TURNS, parse_asf
from motiongpt.data.asf_amc.reading import amc_to_joints
from motiongpt.data.bvh_forward import about_axis
from motiongpt.data.clip import Caption
from motiongpt.data.cmu.conversion import Cut, to_clips
from motiongpt.data.cmu.motions import TrialFile
from motiongpt.data.cmu.words import CmuClip
from motiongpt.data.humanml3d_texts import Span
from motiongpt.motion.skeleton import HUMANML3D
from tests.shared import shared
from tests.unit import bvh_text
from tests.unit.asf_amc_text import BODY, amc, asf

TURN = ("Zrotation", "Yrotation", "Xrotation")
# Joint of the BVH: its parent, the bone that ends there, and the bone that turns there; the bones
# of the thorax, where neck and collars begin, the conversion leaves out.
SIDE = {
    "?HipJoint": ("Hips", None, "?hipjoint"), "*UpLeg": ("?HipJoint", "?hipjoint", "?femur"),
    "*Leg": ("*UpLeg", "?femur", "?tibia"), "*Foot": ("*Leg", "?tibia", "?foot"),
    "*ToeBase": ("*Foot", "?foot", "?toes"), "*Shoulder": ("Spine1", None, "?clavicle"),
    "*Arm": ("*Shoulder", "?clavicle", "?humerus"), "*ForeArm": ("*Arm", "?humerus", "?radius"),
    "*Hand": ("*ForeArm", "?radius", "?wrist"),
}  # fmt: skip
JOINTS = {
    "LowerBack": ("Hips", None, "lowerback"), "Spine": ("LowerBack", "lowerback", "upperback"),
    "Spine1": ("Spine", "upperback", "thorax"), "Neck": ("Spine1", None, "lowerneck"),
    "Neck1": ("Neck", "lowerneck", "upperneck"), "Head": ("Neck1", "upperneck", "head"),
    **{
        name.replace("*", side).replace("?", side[0]): tuple(
            part and part.replace("*", side).replace("?HipJoint", f"{side[0]}HipJoint").replace(
                "?", side[0].lower()
            )
            for part in parts
        )
        for side in ("Left", "Right")
        for name, parts in SIDE.items()
    },
}  # fmt: skip
# Frame 1 of trial 127_36 by the BVH release of the database, joint by joint: metres.
RELEASED_127_36 = """
-.190 .845 2.395  -.281 .741 2.397  -.123 .724 2.387  -.190 .893 2.363  -.285 .372 2.610
-.107 .456 2.060  -.190 .942 2.331  -.300 .133 2.975  -.137 .048 2.178  -.190 1.038 2.267
-.273 .009 2.948  -.116 .007 2.054  -.168 1.244 2.200  -.272 1.184 2.185  -.091 1.186 2.230
-.168 1.347 2.193  -.366 1.225 2.150  -.003 1.228 2.240  -.412 .942 2.198  -.037 1.162 2.525
-.309 1.023 2.050  -.011 .960 2.494"""


def as_cgspeed(skeleton, values):
    """The BVH that the conversion would make: a T-pose, then the frames."""
    slices, order = channel_slices(skeleton), []
    bones = {bone.name: bone for bone in skeleton.bones}

    def joint(name, kind="JOINT"):
        _, ends, turns = JOINTS.get(name, (None, None, "root"))
        order.append(turns)
        children = [child for child, (parent, *_) in JOINTS.items() if parent == name]
        return bvh_text.joint(
            name,
            bones[ends].offset if ends else (0, 0, 0),
            ("Xposition", "Yposition", "Zposition", *TURN) if name == "Hips" else TURN,
            [joint(child) for child in children],
            None if children else bones[turns].offset,
            kind,
        )

    hierarchy = joint("Hips", "ROOT")
    rows = [[*values[0, :3], *[0.0] * (3 * len(order))]]
    for row in values:
        angles = [
            euler(TURNS, row[3:6], np.eye(3))
            if name == "root"
            else euler(bones[name].dof, row[slices.get(name, slice(0))], bones[name].axes)
            for name in order
        ]
        rows.append([*row[:3], *np.concatenate(angles)])
    return bvh_text.file(hierarchy, rows, frame_time=".0083333")


def euler(channels, angles, axes):
    """Degrees about z, y, x of a turn about a bone's own axes."""
    rotation = np.eye(3)
    for channel, angle in zip(channels, angles, strict=True):
        rotation = about_axis(TURNS.index(channel), np.array([angle]))[0] @ rotation
    rotation = axes @ rotation @ axes.T
    y = np.arcsin(-rotation[2, 0])
    z = np.arctan2(rotation[1, 0], rotation[0, 0])
    x = np.arctan2(rotation[2, 1], rotation[2, 2])
    return np.rad2deg([z, y, x])


def test_both_forms_of_a_trial_give_the_same_joints():
    skeleton = parse_asf(asf(), "a.asf")
    moves = amc(121)
    bvh = as_cgspeed(skeleton, parse_amc(moves, "a.amc", skeleton).values)
    clip = CmuClip("1", "01_01", 2, 20, 120.0, "train", {Span(): (Caption("walks"),)})
    files = [
        TrialFile("01_01", "01_01.bvh", bvh.encode(), None),
        TrialFile("01_01", "01_01.amc", moves.encode(), asf().encode()),
    ]
    of_bvh, of_amc = (to_clips(file, [clip], Cut(20.0, 8, 199))[0].joints for file in files)
    assert of_bvh.shape == of_amc.shape == (18, 22, 3)
    apart = np.linalg.norm(of_bvh - of_amc, axis=-1)
    assert apart.max() < 0.001, dict(zip(HUMANML3D.joint_names, apart.max(0), strict=True))
    assert np.linalg.norm(of_amc[1:] - of_amc[:-1], axis=-1).max() > 0.05  # and they do move


def test_all_bones_of_the_body_are_in_both_forms():
    turned = {turns for _, _, turns in JOINTS.values()}
    assert turned == set(BODY)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_published_amc_gives_the_joints_of_the_published_bvh(tmp_path):
    """The thorax that the BVH lacks is taken for as long as the bone before: 2 mm off here."""
    wanted = {"motions/127_36.amc": "127_36.amc", "motions/asf/127.asf": "127.asf"}
    with tarfile.open(shared("data", "cmu_captioned", "motions.tar.xz"), "r|*") as archive:
        for member in archive:
            if member.name in wanted:
                content = archive.extractfile(member).read()
                Path(tmp_path, wanted.pop(member.name)).write_bytes(content)
                if not wanted:
                    break
    joints = amc_to_joints(tmp_path / "127_36.amc", tmp_path / "127.asf", 120.0, 120.0)
    expected = np.array(RELEASED_127_36.split(), float).reshape(22, 3)
    assert np.linalg.norm(joints[0] - expected, axis=-1).max() < 0.01
