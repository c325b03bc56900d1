"""BVH files of motions: read back they are where they were; bones that are rigid stay so."""

import numpy as np
import pytest

from motiongpt import Motion
from motiongpt.data.bvh import read_bvh
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.export.bvh import bvh_text, rig_of
from motiongpt.motion.skeleton import HUMANML3D, KIT
from tests.shared import shared


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
    rig = rig_of(Motion.from_joints(clips[0]).joints.astype(float), HUMANML3D)
    assert np.flatnonzero(rig.moving).tolist() == [0]
    lengths = np.linalg.norm(rig.offsets[1:], axis=-1)
    np.testing.assert_allclose(lengths, HUMANML3D.bone_lengths[1:], atol=1e-4)


def test_bones_that_breathe_get_positions_and_come_back_too(clips, tmp_path):
    noise = np.random.default_rng(0).normal(0, 0.02, clips[0].shape)
    joints = (clips[0] + noise).astype(np.float32)
    found = Motion.from_file(Motion.from_joints(joints).save(tmp_path / "clip.bvh"))
    assert np.linalg.norm(found.joints - joints, axis=-1).max() < 1e-3


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
    assert np.linalg.norm(found.joints - motion.joints, axis=-1).max() < 1e-4
    assert rig_of(motion.joints.astype(float), HUMANML3D).moving.sum() == 1
