"""Each perturbation: what it must change, and what it must leave alone."""

import numpy as np
import pytest

from evaluation.perturbations.base import (
    RealClip,
    applied,
    known_perturbations,
    made_again,
    perturbations_by_name,
    perturbed,
    real_clips,
    share_changed,
)
from evaluation.perturbations.legs_of_another_clip import leg_joints
from launch.composition.compose import compose_config
from motiongpt.data.build import build_store
from motiongpt.errors import UserError
from motiongpt.motion.skeleton import HUMANML3D, KIT
from tests.unit.fake_source import FakeSource, feature_clip
from tests.unit.perturbed_clips import LEFT_WRIST, RIGHT_WRIST, clip_of

KNOWN = known_perturbations()
VELOCITIES = slice(4 + 9 * 21, 4 + 9 * 21 + 66)


@pytest.fixture(scope="module")
def wave():
    return clip_of("wave")


@pytest.fixture(scope="module")
def walk(wave):
    return clip_of("walk", other=wave)


def joints_of(name, clip, seed=0):
    """Joints that a perturbation gives of a clip, (T', J, 3)."""
    return KNOWN[name].change(clip, np.random.default_rng(seed))


def features_of(name, clip, seed=0):
    return perturbed([clip], KNOWN[name], seed)[0]


def step_lengths(joints):
    return np.linalg.norm(np.diff(joints[:, 0, [0, 2]], axis=0), axis=-1)


@pytest.mark.parametrize("name", sorted(KNOWN))
def test_each_changes_a_clip_says_how_and_gives_features_that_judges_can_read(name, walk):
    before, found = walk.features, features_of(name, walk)
    assert found.shape[1] == before.shape[1] and np.isfinite(found).all()
    assert len(found) >= 4 and found.dtype == np.float32
    assert share_changed(made_again([walk]), [found], np.ones(263, np.float32)) == 1
    assert KNOWN[name].says and KNOWN[name].title == name.replace("_", " ")
    np.testing.assert_array_equal(found, features_of(name, walk), err_msg="one seed, one result")
    assert (walk.features == before).all(), "the real clip stays as it was"


def test_the_card_shows_all_of_them():
    assert sorted(compose_config().stage.card.perturbations) == sorted(KNOWN)


def test_another_draw_differs_where_something_is_drawn_and_only_there(walk):
    for name, one in KNOWN.items():
        first, second = (perturbed([walk], one, 5, replication)[0] for replication in (0, 1))
        assert np.array_equal(first, second) != one.drawn, name


def test_made_again_costs_next_to_nothing(walk):
    (again,) = made_again([walk])
    assert len(again) == len(walk.features) - 1
    np.testing.assert_allclose(again[:, :67], walk.features[:-1, :67], atol=2e-3)
    assert share_changed([again], [again.copy()], np.ones(263, np.float32)) == 0


def test_shuffling_keeps_every_frame_and_loses_their_order(walk):
    found = features_of("shuffled_in_time", walk)
    assert not np.array_equal(found, walk.features)
    as_rows = [{row.tobytes() for row in one} for one in (found, walk.features)]
    assert as_rows[0] == as_rows[1] and len(found) == len(walk.features)


def test_backward_is_each_pose_in_the_other_order_and_the_other_way(walk):
    joints = joints_of("reversed_in_time", walk)
    np.testing.assert_array_equal(joints[::-1], walk.joints)
    found = features_of("reversed_in_time", walk)
    middle = slice(5, -5)
    assert walk.features[middle, 2].mean() > 0.01, "walks ahead, metres a frame"
    assert found[middle, 2].mean() == pytest.approx(-walk.features[middle, 2].mean(), rel=0.1)


def test_the_mirror_image_swaps_sides_and_turns_and_keeps_heights(wave):
    found = features_of("mirrored", wave)
    # the target skeleton's left leg is 8 mm longer than its right one
    np.testing.assert_allclose(found[:, 3], wave.features[:-1, 3], atol=1e-2)
    joints, image = wave.joints, joints_of("mirrored", wave)
    np.testing.assert_allclose(image[:, LEFT_WRIST] * [-1, 1, 1], joints[:, RIGHT_WRIST], atol=1e-6)
    np.testing.assert_allclose(image[:, 15] * [-1, 1, 1], joints[:, 15], atol=1e-6)


def test_swapped_sides_are_the_same_points_under_other_names_and_turn_the_body_round(walk):
    swapped, joints = joints_of("left_and_right_swapped", walk), walk.joints
    np.testing.assert_array_equal(swapped[:, LEFT_WRIST], joints[:, RIGHT_WRIST])
    np.testing.assert_array_equal(swapped[:, [0, 3, 6, 9, 12, 15]], joints[:, [0, 3, 6, 9, 12, 15]])
    found = features_of("left_and_right_swapped", walk)
    assert found[5:-5, 2].mean() < -0.01, "its front is behind: it walks backward"


def test_frozen_holds_the_middle_pose_and_nothing_moves(walk):
    joints, found = joints_of("frozen", walk), features_of("frozen", walk)
    assert (joints == walk.joints[len(joints) // 2]).all() and len(joints) == len(walk.joints)
    np.testing.assert_allclose(found[:, VELOCITIES], 0, atol=1e-5)
    # the first row turns from +Z to where the body faces: a quirk of the features
    np.testing.assert_allclose(found[1:, :3], 0, atol=1e-5)
    assert (found[:, -4:] == 1).all(), "both feet stand"


@pytest.mark.parametrize(("name", "factor"), [("slowed", 1.5), ("sped_up", 1 / 1.5)])
def test_another_pace_is_the_same_path_in_other_time(walk, name, factor):
    joints = joints_of(name, walk)
    assert len(joints) == pytest.approx(factor * len(walk.joints), abs=2)
    whole = [step_lengths(one).sum() for one in (joints, walk.joints)]
    assert whole[0] == pytest.approx(whole[1], rel=0.05)
    speeds = [np.median(step_lengths(one)) for one in (joints, walk.joints)]
    assert speeds[0] == pytest.approx(speeds[1] / factor, rel=0.1)
    np.testing.assert_allclose(joints[0], walk.joints[0], atol=1e-6)


def test_jitter_moves_every_joint_a_little_and_no_bone_changes_its_length(walk):
    moved = joints_of("jittered", walk) - walk.joints
    assert moved.std() == pytest.approx(0.005, rel=0.05) and abs(moved.mean()) < 2e-4
    found = RealClip(features_of("jittered", walk), HUMANML3D, 20.0).joints
    bones = np.linalg.norm(found[:, 4] - found[:, 1], axis=-1)
    np.testing.assert_allclose(bones, HUMANML3D.bone_lengths[4], atol=1e-3)
    jerks = [np.abs(np.diff(one, n=3, axis=0)).mean() for one in (found, walk.joints)]
    assert jerks[0] > 3 * jerks[1]


def test_sliding_moves_the_whole_body_and_no_pose(wave):
    found, joints = joints_of("sliding_feet", wave), wave.joints
    np.testing.assert_allclose(found - found[:, :1], joints - joints[:, :1], atol=1e-5)
    gained = (found - joints)[:, 0]
    assert (gained[:, 1] == 0).all()
    speed = np.linalg.norm(np.diff(gained, axis=0), axis=-1) * wave.fps
    np.testing.assert_allclose(speed, 0.3, rtol=1e-3)


def test_legs_of_another_leave_upper_body_path_and_heading(walk, wave):
    found, legs = joints_of("legs_of_another_clip", walk), leg_joints(HUMANML3D)
    others = [joint for joint in range(22) if joint not in legs]
    mine = walk.joints
    np.testing.assert_allclose(found[:, 0, [0, 2]], mine[:, 0, [0, 2]], atol=1e-5)
    np.testing.assert_allclose(
        found[:, others] - found[:, :1], mine[:, others] - mine[:, :1], atol=1e-5
    )
    lengths = np.linalg.norm(found[:, 4] - found[:, 1], axis=-1)
    np.testing.assert_allclose(lengths, HUMANML3D.bone_lengths[4], atol=1e-3)
    common = min(len(found), len(wave.joints))
    knees = [one[:common, 4, 1] for one in (found, wave.joints)]
    np.testing.assert_allclose(*knees, atol=1e-5)
    assert np.abs(found[:, legs] - mine[:, legs]).max() > 0.1
    with pytest.raises(UserError, match="needs two clips"):
        joints_of("legs_of_another_clip", wave)


def test_both_skeletons_have_two_legs():
    for skeleton in (HUMANML3D, KIT):
        names = [skeleton.joint_names[joint] for joint in leg_joints(skeleton)]
        assert len(names) in (8, 10) and not [n for n in names if "spine" in n or "wrist" in n]
        assert sum("left" in name for name in names) == len(names) / 2


def test_clips_of_a_store_have_another_one_beside_them(tmp_path):
    clips = [feature_clip(f"c{i}", frames=10 + i, seed=i) for i in range(5)]
    store = build_store(FakeSource(clips), tmp_path / "store", progress=False)
    found = real_clips(store, range(5), seed=1)
    beside = [len(clip.other.features) - 10 for clip in found]
    assert sorted(beside) == [0, 1, 2, 3, 4] and all(k != own for own, k in enumerate(beside))
    assert real_clips(store, [2], seed=1)[0].other is None


def test_which_others_are_looked_at_changes_nothing(walk, wave):
    alone = perturbed([walk], KNOWN["jittered"], 0)[0]
    np.testing.assert_allclose(perturbed([walk, wave], KNOWN["jittered"], 0)[0], alone, atol=1e-5)


def test_a_name_that_there_is_not_is_refused_with_the_valid_ones():
    with pytest.raises(UserError, match="perturbation shufled: no such one; valid: frozen"):
        perturbations_by_name(["shufled"])
    assert [one.name for one in perturbations_by_name(["mirrored", "frozen"])] == [
        "mirrored",
        "frozen",
    ]
    assert len(applied([], KNOWN["frozen"], [])) == 0
