"""BVH files of motions: read back they are where they were; bones that are rigid stay so."""

import numpy as np
import pytest

from evaluation.external.forms.base import Options, Target
from evaluation.external.forms.bvh import BvhFiles
from motiongpt import Motion
from motiongpt.data.bvh import read_bvh
from motiongpt.data.bvh_reading import read_joints
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.errors import UserError
from motiongpt.export.bvh import bvh_text, rig_of
from motiongpt.motion.joint_names import CHOICES
from motiongpt.motion.skeleton import HUMANML3D, KIT
from tests.shared import shared
from tests.unit.bvh_joints import bvh_to_joints


@pytest.fixture(scope="module")
def clips():
    return [
        np.asarray(clip.joints, np.float32) for clip in SyntheticSource(clips=6, seed=1).clips()
    ]


def test_joints_come_back_within_a_millimetre(clips, tmp_path):
    for joints in clips:
        path = Motion.from_joints(joints, fps=20).save(tmp_path / "clip.bvh")
        found = Motion.from_file(path)
        assert found.fps == 20 and found.skeleton is HUMANML3D
        assert np.linalg.norm(found.joints - joints, axis=-1).max() < 1e-3


def test_a_rigid_body_is_moved_by_rotations_alone(clips):
    rig = rig_of(Motion.from_joints(clips[0]).joints.astype(float), HUMANML3D, 20.0)
    assert np.flatnonzero(rig.moving).tolist() == [0]
    lengths = np.linalg.norm(rig.body.offsets[1:], axis=-1)
    np.testing.assert_allclose(lengths, HUMANML3D.bone_lengths[1:], atol=1e-4)


def test_bones_that_breathe_get_positions_and_come_back_too(clips, tmp_path):
    noise = np.random.default_rng(0).normal(0, 0.02, clips[0].shape)
    joints = (clips[0] + noise).astype(np.float32)
    motion = Motion.from_joints(joints)
    found = Motion.from_file(motion.save(tmp_path / "clip.bvh", rigid=False))
    assert np.linalg.norm(found.joints - joints, axis=-1).max() < 1e-3
    rigid = Motion.from_file(motion.save(tmp_path / "rigid.bvh"))
    assert (tmp_path / "rigid.bvh").read_text().count("position") == 3  # of the root
    off = np.linalg.norm(rigid.joints - motion.rigid().joints, axis=-1)
    assert off.mean() < 0.005  # such noise turns faster than anything may


def test_angles_do_not_jump_by_whole_turns(tmp_path):
    angles = np.linspace(0, 4 * np.pi, 80)
    pose = HUMANML3D.offsets().numpy().astype(float)
    for joint, parent in enumerate(HUMANML3D.parents):
        pose[joint] += pose[parent] if parent >= 0 else [0, 1, 0]
    c, s, zero, one = np.cos(angles), np.sin(angles), np.zeros(80), np.ones(80)
    turns = np.stack([c, zero, s, zero, one, zero, -s, zero, c], -1).reshape(-1, 3, 3)
    (tmp_path / "turn.bvh").write_text(
        bvh_text(np.einsum("tij,kj->tki", turns, pose), HUMANML3D, 20.0)
    )
    bvh = read_bvh(tmp_path / "turn.bvh")
    assert np.abs(np.diff(bvh.values[:, 3:], axis=0)).max() < 90
    assert bvh.fps == 20


def test_kit_and_a_single_pose(tmp_path):
    pose = KIT.offsets().numpy().copy()
    for joint, parent in enumerate(KIT.parents):
        pose[joint] += pose[parent] if parent >= 0 else 0
    motion = Motion.from_joints(pose[None], skeleton=KIT)
    found = Motion.from_file(motion.save(tmp_path / "pose.bvh"))
    assert found.skeleton is KIT and found.frames == 1
    np.testing.assert_allclose(found.joints, motion.joints, atol=1e-5)


def test_a_clip_of_humanml3d_needs_rotations_only(tmp_path):
    features = np.load(shared("parity/data/012314_new_joint_vecs.npy"))
    motion = Motion.from_features(features)
    found = Motion.from_file(motion.save(tmp_path / "clip.bvh"))
    off = np.linalg.norm(found.joints - motion.joints, axis=-1)
    assert off.mean() < 1e-3 and off.max() < 0.05  # one turn of a forearm is faster than it may be
    assert rig_of(motion.joints.astype(float), HUMANML3D, 20.0).moving.sum() == 1


@pytest.mark.parametrize("names", CHOICES)
@pytest.mark.parametrize(("unit", "fps"), [("m", None), ("cm", 59.94), ("cm", 30)])
def test_any_names_unit_and_rate_are_read_by_all_readers(clips, tmp_path, names, unit, fps):
    motion = Motion.from_joints(clips[2], fps=20)
    path = motion.save(tmp_path / "clip.bvh", names=names, unit=unit, fps=fps)
    found = Motion.from_file(path)
    assert found.fps == pytest.approx(fps or 20, rel=1e-6)
    seconds = np.arange(found.frames) / found.fps
    frame = int(np.argmin(np.abs(seconds - 0.5)))
    off = np.linalg.norm(found.joints[frame] - clips[2][10], axis=-1)
    assert off.max() < (1e-3 if fps is None else 0.05)
    back = found.at(20).joints
    np.testing.assert_allclose(bvh_to_joints(path), back, atol=1e-4)
    read = read_joints(path, None, None, None, 20.0)
    np.testing.assert_allclose(read.joints, back, atol=1e-4)
    nothing = np.zeros(0)
    form = BvhFiles(Options(), Target(HUMANML3D, 20.0, nothing, nothing, "", nothing))
    np.testing.assert_allclose(form.raw(path)[0], found.joints, atol=1e-4)


def test_kit_in_centimetres_and_names_that_it_has_not(tmp_path):
    pose = KIT.offsets().numpy().copy()
    for joint, parent in enumerate(KIT.parents):
        pose[joint] += pose[parent] if parent >= 0 else 0
    motion = Motion.from_joints(np.stack([pose, pose]), skeleton=KIT)
    found = Motion.from_file(motion.save(tmp_path / "pose.bvh", unit="cm"))
    np.testing.assert_allclose(found.joints, motion.joints, atol=1e-5)
    with pytest.raises(UserError, match="names=mixamo: they are of the joints of humanml3d"):
        motion.save(tmp_path / "other.bvh", names="mixamo")
    assert not (tmp_path / "other.bvh").exists()


def test_angles_take_the_nearer_of_two_ways(clips):
    for joints in clips[:3]:
        bvh = bvh_text(joints, HUMANML3D, 20.0)
        rows = np.loadtxt(bvh.partition("Frame Time")[2].splitlines()[1:])
        assert np.abs(np.diff(rows[:, 3:], axis=0)).max() < 120
