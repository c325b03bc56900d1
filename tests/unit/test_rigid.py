"""Rigid skeletons: bones keep their lengths, nothing flips, joints stay where they were decoded."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from motiongpt import Motion
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.motion.rest_pose import t_pose
from motiongpt.motion.rigid import FASTEST, rigid_motion
from motiongpt.motion.skeleton import HUMANML3D, KIT
from motiongpt.motion.turns import bounded, steps

# Degrees from frame to frame at 20 frames per second: 1.5 times the 99.9th percentile of 50 of
# Bandai-Namco's own files (motiongpt/export/README.md).
BOUND = 47.4


@pytest.fixture(scope="module")
def clips():
    return [
        np.asarray(clip.joints, np.float64) for clip in SyntheticSource(clips=12, seed=1).clips()
    ]


def trembling(joints, size, seed=0):
    """Noise that changes within half a second, as decoded joints have it."""
    noise = np.random.default_rng(seed).normal(size=(len(joints) + 8, *joints.shape[1:]))
    slow = np.stack([noise[i : i + 9].sum(0) for i in range(len(joints))]) / 3
    return joints + size * (0.8 * slow + 0.25 * noise[4:-4])


def lengths(joints, skeleton=HUMANML3D):
    bones = joints[:, 1:] - joints[:, list(skeleton.parents[1:])]
    return np.linalg.norm(bones, axis=-1)


def largest_step(motion):
    return max(np.degrees(steps(turns)).max() for turns in np.moveaxis(motion.rotations, 1, 0))


def test_a_rigid_body_comes_back(clips):
    for joints in clips:
        found = rigid_motion(joints, HUMANML3D, 20.0)
        off = np.linalg.norm(found.joints() - joints, axis=-1)
        assert off.mean() < 1e-4
        assert largest_step(found) < BOUND


def test_stretched_bones_get_one_length_and_nothing_flips(clips):
    for number, joints in enumerate(clips):
        decoded = trembling(joints, 0.01, number)
        assert np.ptp(lengths(decoded), axis=0).max() > 0.02
        found = rigid_motion(decoded, HUMANML3D, 20.0)
        assert np.ptp(lengths(found.joints()), axis=0).max() < 1e-9
        assert np.linalg.norm(found.joints() - decoded, axis=-1).mean() < 0.015
        assert largest_step(found) < BOUND


def test_the_rest_pose_is_a_t():
    rest = dict(zip(HUMANML3D.joint_names, t_pose(HUMANML3D), strict=True))
    assert rest["left_elbow"].tolist() == [1, 0, 0] and rest["right_elbow"].tolist() == [-1, 0, 0]
    assert rest["left_knee"].tolist() == [0, -1, 0] and rest["left_foot"][2] > 0.8
    for skeleton in (HUMANML3D, KIT):
        np.testing.assert_allclose(np.linalg.norm(t_pose(skeleton)[1:], axis=-1), 1, atol=1e-3)


def posed(angles):
    """An upright body in a T-pose, its left arm turned about Z by `angles` (T,) degrees, straight."""
    pose = t_pose(HUMANML3D) * np.asarray(HUMANML3D.bone_lengths)[:, None]
    joints = np.zeros((len(angles), 22, 3))
    for joint, parent in enumerate(HUMANML3D.parents):
        offset = np.tile(pose[joint], (len(angles), 1))
        if HUMANML3D.joint_names[joint] in ("left_elbow", "left_wrist"):
            offset = Rotation.from_euler("z", angles[:, None], degrees=True).apply(offset)
        joints[:, joint] = offset + (joints[:, parent] if parent >= 0 else 0)
    return joints


def test_a_straight_arm_that_is_raised_does_not_twist():
    """From hanging to straight up: half a turn about Z, and nothing about the arm itself."""
    found = rigid_motion(posed(np.linspace(-90, 90, 41)), HUMANML3D, 20.0)
    shoulder = found.rotations[:, HUMANML3D.joint_names.index("left_shoulder")]
    assert np.degrees(steps(shoulder)).max() < 4.6  # a fortieth of half a turn is 4.5


def test_a_hinge_bends_about_its_own_axis():
    """A bent elbow turns about Y in the rest pose's axes, wherever the arm points."""
    joints = posed(np.full(5, -40.0))
    index = HUMANML3D.joint_names.index
    upper = joints[:, index("left_elbow")] - joints[:, index("left_shoulder")]
    upper /= np.linalg.norm(upper, axis=-1, keepdims=True)
    fore = Rotation.from_euler("z", -40, degrees=True).apply(
        [0.0, 0.0, 1.0]
    )  # ahead: a right angle
    joints[:, index("left_wrist")] = joints[:, index("left_elbow")] + 0.27 * fore
    found = rigid_motion(joints, HUMANML3D, 20.0)
    elbow = Rotation.from_matrix(found.rotations[:, index("left_elbow")]).as_rotvec(degrees=True)
    np.testing.assert_allclose(elbow, np.broadcast_to([0, -90, 0], elbow.shape), atol=1.5)


def test_a_flip_is_spread_over_several_frames():
    turns = np.stack([np.eye(3)] * 20 + [np.diag([-1.0, -1.0, 1.0])] * 20)
    found = bounded(turns, np.radians(45))
    assert np.degrees(steps(found)).max() <= 45
    np.testing.assert_allclose(found[[0, -1]], turns[[0, -1]], atol=1e-6)
    np.testing.assert_array_equal(bounded(found, np.radians(45.001)), found)


def test_between_frames_bones_keep_their_lengths(clips):
    found = rigid_motion(trembling(clips[6], 0.01), HUMANML3D, 20.0).at(60.0)
    assert found.fps == 60 and len(found.root) == 3 * (len(clips[6]) - 1) + 1
    assert np.ptp(lengths(found.joints()), axis=0).max() < 1e-9
    assert largest_step(found) < FASTEST / 60


def test_motions_know_it_and_keep_what_they_know(clips):
    motion = Motion.from_joints(trembling(clips[0], 0.01), 20, ["a person moves"])
    found = motion.rigid()
    assert np.ptp(lengths(found.joints.astype(float)), axis=0).max() < 1e-4
    assert found.captions == motion.captions and found.fps == 20
    again = found.rigid()
    np.testing.assert_allclose(again.joints, found.joints, atol=1e-5)


@pytest.mark.parametrize("skeleton", [HUMANML3D, KIT])
def test_single_poses_and_bones_of_no_length(skeleton):
    pose = t_pose(skeleton) * np.asarray(skeleton.bone_lengths)[:, None]
    for joint, parent in enumerate(skeleton.parents):
        pose[joint] += pose[parent] if parent >= 0 else 0
    found = rigid_motion(pose[None], skeleton, 20.0)
    np.testing.assert_allclose(found.joints()[0], pose, atol=1e-6)
    nothing = rigid_motion(np.zeros((3, skeleton.n_joints, 3)), skeleton, 20.0)
    assert np.isfinite(nothing.rotations).all() and not nothing.joints().any()
