import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter1d

from motiongpt.errors import UserError
from motiongpt.motion.features import canonical_joints, extract_features, joints_to_features
from motiongpt.motion.inverse_kinematics import smoothed
from motiongpt.motion.recover import (
    features_to_joints,
    features_to_joints_by_rotation,
    recover_root,
)
from motiongpt.motion.rotations import turn_about_y
from motiongpt.motion.skeleton import HUMANML3D, KIT, SKELETONS, Skeleton
from motiongpt.motion.uniform_skeleton import uniform_skeleton
from tests.benchmarks.speed.motion import moving_clips

EVERY = pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
TURN, SIDEWAYS, AHEAD, HEIGHT = 0, 1, 2, 3


def clips(skeleton: Skeleton = HUMANML3D, n_clips: int = 3, n_frames: int = 60) -> torch.Tensor:
    return moving_clips(n_clips, n_frames, skeleton)


def turned(joints: torch.Tensor, degrees: float) -> torch.Tensor:
    half = torch.deg2rad(torch.tensor(degrees / 2, dtype=torch.float64))
    turn = torch.stack((half.cos(), half * 0, half.sin(), half * 0)).to(joints)
    return turn_about_y(turn, joints)


def standing(n_frames: int = 30, skeleton: Skeleton = HUMANML3D) -> torch.Tensor:
    """A body in the rest pose, facing +Z, its arms hanging."""
    rest = torch.zeros(skeleton.n_joints, 3)
    for joint, parent in enumerate(skeleton.parents[1:], start=1):
        rest[joint] = rest[parent] + skeleton.offsets()[joint]
    return rest.expand(n_frames, -1, -1).clone()


@EVERY
def test_joints_come_back_from_features(skeleton):
    joints = clips(skeleton)
    expected = canonical_joints(joints, skeleton)[:, :-1]
    features = joints_to_features(joints, skeleton)
    torch.testing.assert_close(features_to_joints(features, skeleton), expected, atol=1e-4, rtol=0)
    by_rotation = features_to_joints_by_rotation(features, skeleton)
    torch.testing.assert_close(by_rotation, expected, atol=1e-4, rtol=0)


@EVERY
def test_features_come_back_from_their_own_joints(skeleton):
    joints = canonical_joints(clips(skeleton), skeleton)
    features = joints_to_features(joints, skeleton)
    torch.testing.assert_close(features, extract_features(joints, skeleton), atol=2e-4, rtol=0)


@pytest.mark.parametrize("uniform", [True, False])
def test_each_clip_of_a_batch_is_as_if_alone(uniform):
    joints = clips(n_clips=4, n_frames=200)
    lengths = [200, 2, 37, 120]
    for clip, length in enumerate(lengths):
        joints[clip, length:] = float("nan")
    batch = joints_to_features(joints, HUMANML3D, lengths, uniform=uniform)
    assert batch.shape == (4, 199, 263)
    for clip, length in enumerate(lengths):
        alone = joints_to_features(joints[clip, :length], HUMANML3D, uniform=uniform)
        torch.testing.assert_close(batch[clip, : length - 1], alone, atol=1e-6, rtol=0)
        assert not batch[clip, length - 1 :].any()


def test_canonical_joints_of_a_batch_keep_every_frame():
    joints = clips(n_clips=2)
    batch = canonical_joints(joints, HUMANML3D, torch.tensor([60, 20]))
    alone = canonical_joints(joints[1, :20], HUMANML3D)
    torch.testing.assert_close(batch[1, :20], alone, atol=1e-6, rtol=0)
    assert batch[0, 59].any() and not batch[1, 20:].any()


@EVERY
def test_place_and_heading_in_the_world_do_not_matter(skeleton):
    joints = clips(skeleton).double()
    elsewhere = turned(joints, 100) + torch.tensor([3.0, 1.5, -2.0])
    features = joints_to_features(joints, skeleton)
    again = joints_to_features(elsewhere, skeleton)
    torch.testing.assert_close(again[..., :-4], features[..., :-4], atol=1e-6, rtol=0)


def test_size_of_the_body_does_not_matter_on_the_uniform_skeleton():
    joints = clips()
    features = joints_to_features(joints, HUMANML3D)[..., :-4]
    doubled = joints_to_features(2 * joints, HUMANML3D)[..., :-4]
    torch.testing.assert_close(doubled, features, atol=1e-4, rtol=0)


def test_mirrored_motion_gives_mirrored_features():
    names = HUMANML3D.joint_names
    swap = {"left": "right", "right": "left"}
    order = [
        names.index("_".join(swap.get(part, part) for part in name.split("_"))) for name in names
    ]
    joints = clips()
    mirrored = joints[:, :, order] * torch.tensor([-1.0, 1.0, 1.0])
    features = joints_to_features(joints, HUMANML3D, uniform=False)
    found = joints_to_features(mirrored, HUMANML3D, uniform=False)
    flipped = features[..., :4] * torch.tensor([-1.0, -1.0, 1.0, 1.0])
    torch.testing.assert_close(found[..., :4], flipped, atol=1e-4, rtol=0)
    torch.testing.assert_close(found[..., -4:], features[..., [-2, -1, -4, -3]])


def test_canonical_clip_stands_on_the_floor_at_the_origin_facing_ahead():
    joints = canonical_joints(turned(clips(), 160) + 5, HUMANML3D)
    lowest = joints[..., 1].amin(dim=(1, 2))
    torch.testing.assert_close(lowest, torch.zeros(3), atol=1e-6, rtol=0)
    torch.testing.assert_close(joints[:, 0, 0, [0, 2]], torch.zeros(3, 2), atol=1e-6, rtol=0)
    right_hip, left_hip, right_shoulder, left_shoulder = joints[:, 0, HUMANML3D.face_joints].unbind(
        1
    )
    across = left_hip - right_hip + left_shoulder - right_shoulder
    torch.testing.assert_close(across[:, 2], torch.zeros(3), atol=1e-5, rtol=0)
    assert (across[:, 0] > 0.1).all(), "the left side is at +X"


def test_who_stands_still_touches_the_ground_with_both_feet():
    features = joints_to_features(standing(), HUMANML3D)
    assert (features[:, -4:] == 1).all()
    torch.testing.assert_close(features[:, :3], torch.zeros(29, 3), atol=1e-6, rtol=0)
    torch.testing.assert_close(features[:, 193:259], torch.zeros(29, 66), atol=1e-6, rtol=0)


def test_a_moving_left_foot_loses_only_its_own_contacts():
    joints = standing()
    joints[10:, HUMANML3D.feet_left, 2] += 0.1 * torch.arange(1, 21)[:, None]
    contacts = joints_to_features(joints, HUMANML3D, uniform=False)[:, -4:]
    assert (contacts[:, 2:] == 1).all()
    assert (contacts[:9, :2] == 1).all() and (contacts[9:, :2] == 0).all()


def test_walking_ahead_and_to_the_left_have_their_channels():
    steps = torch.arange(30.0)[:, None] * 0.05
    ahead, left = standing(), standing()
    ahead[..., 2] += steps
    left[..., 0] += steps
    for joints, channel in ((ahead, AHEAD), (left, SIDEWAYS)):
        moving = joints_to_features(turned(joints, 70), HUMANML3D)[:, :3]
        expected = torch.zeros(29, 3)
        expected[:, channel] = 0.05
        torch.testing.assert_close(moving, expected, atol=1e-5, rtol=0)


def test_root_path_of_a_left_turn_bends_to_the_left():
    joints = standing(200)
    angles = torch.linspace(0, 90, 200)
    for frame, angle in enumerate(angles.tolist()):
        joints[frame] = turned(joints[frame], angle)
    joints += torch.cumsum(turned(torch.tensor([[0.0, 0.0, 0.02]]), 0).expand(200, 3), 0)[:, None]
    features = joints_to_features(joints, HUMANML3D)
    rotation, _ = recover_root(features)
    local = features_to_joints(features, HUMANML3D)[-1]
    nose_side = local[HUMANML3D.joint_names.index("left_foot")]
    assert (features[20:-1, TURN] < 0).all(), "the turn is the one back to +Z"
    assert nose_side[0] > local[0, 0], "the foot, once ahead, points to the left"
    assert rotation.shape == (199, 4)


def walk_round_a_circle(frames: int = 61) -> torch.Tensor:
    """Once round, on 2 m, ending where it began; its heading goes through 180 degrees."""
    joints = standing(frames) + torch.tensor([2.0, 0.0, 0.0])
    angles = torch.linspace(0, -360, frames).tolist()
    return torch.stack([turned(one, angle) for one, angle in zip(joints, angles, strict=True)])


@pytest.mark.parametrize("mirror", [1.0, -1.0])
def test_a_turn_through_half_a_circle_goes_on_the_same_way(mirror):
    joints = walk_round_a_circle() * torch.tensor([mirror, 1.0, 1.0])
    right = joints_to_features(joints, HUMANML3D)
    released = joints_to_features(joints, HUMANML3D, released_turns=True)
    assert (mirror * right[:, TURN] > 0).all(), "the same way all along"
    (row,) = (right != released).any(1).nonzero()[:, 0].tolist()
    torch.testing.assert_close(right[row, TURN], -released[row, TURN])
    assert int((right != released).sum()) == 1, "one row's turn"
    ends = [features_to_joints(one, HUMANML3D)[-1, 0, [0, 2]] for one in (right, released)]
    assert ends[0].norm() < 0.3 < 1 < ends[1].norm()


def test_features_as_they_stand_have_the_same_turns():
    joints = canonical_joints(walk_round_a_circle(), HUMANML3D)
    for released in (True, False):
        found = extract_features(joints, HUMANML3D, released_turns=released)[:, TURN]
        made = joints_to_features(walk_round_a_circle(), HUMANML3D, released_turns=released)
        torch.testing.assert_close(found, made[:, TURN], atol=1e-4, rtol=0)


def test_facing_backwards_exactly_is_no_obstacle():
    joints = standing() * torch.tensor([-1.0, 1.0, -1.0])
    features = joints_to_features(joints, HUMANML3D)
    expected = joints_to_features(standing(), HUMANML3D)
    torch.testing.assert_close(features, expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("n_frames", [1, 2, 50, 400])
def test_heading_filter_is_scipys(n_frames):
    signal = np.random.default_rng(0).normal(size=(2, n_frames))
    expected = gaussian_filter1d(signal, 20, axis=-1, mode="nearest")
    np.testing.assert_allclose(smoothed(torch.from_numpy(signal)), expected, atol=1e-12)


@EVERY
def test_uniform_skeleton_has_the_target_lengths_and_the_own_directions(skeleton):
    joints = clips(skeleton) * 1.3
    found = uniform_skeleton(joints, skeleton)
    parents = list(skeleton.parents[1:])
    bones, own = (
        found[..., 1:, :] - found[..., parents, :],
        joints[..., 1:, :] - joints[..., parents, :],
    )
    lengths = torch.tensor(skeleton.bone_lengths[1:]).expand(bones.shape[:-1])
    torch.testing.assert_close(bones.norm(dim=-1), lengths, atol=1e-5, rtol=0)
    cosine = torch.cosine_similarity(bones, own, dim=-1)
    torch.testing.assert_close(cosine, torch.ones_like(cosine), atol=1e-5, rtol=0)


def test_offsets_of_another_body_can_be_given():
    larger = 1.5 * HUMANML3D.offsets()
    found = joints_to_features(clips(), HUMANML3D, offsets=larger)
    expected = joints_to_features(clips(), HUMANML3D)
    torch.testing.assert_close(found[..., HEIGHT], 1.5 * expected[..., HEIGHT], atol=1e-4, rtol=0)


@pytest.mark.parametrize(
    ("joints", "message"),
    [
        (torch.zeros(30, 21, 3), r"\(30, 21, 3\) do not fit .*'humanml3d'.*22"),
        (torch.zeros(30, 66), r"\(30, 66\)"),
        (standing(1), "1 frames has no velocities: give 2"),
        (torch.zeros(30, 22, 3), "clip 0: at frame 0 two neighbouring joints coincide"),
    ],
)
def test_joints_that_make_no_clip_are_refused(joints, message):
    with pytest.raises(UserError, match=message) as error:
        joints_to_features(joints, HUMANML3D)
    assert "\n" not in str(error.value)


def test_the_value_that_is_not_a_number_is_named():
    joints = clips()
    joints[2, 17, 5, 1] = float("nan")
    with pytest.raises(UserError, match="clip 2: frame 17, joint 5 is not a finite number"):
        joints_to_features(joints, HUMANML3D)


@pytest.mark.parametrize("lengths", [[60, 1, 60], [60, 61, 60]])
def test_lengths_outside_the_clip_are_refused(lengths):
    with pytest.raises(UserError, match=r"clip 1: length (1|61) is outside 2\.\.60"):
        joints_to_features(clips(), HUMANML3D, lengths)


def test_one_length_a_clip_is_asked_for():
    with pytest.raises(UserError, match="for 3 clips: give one number a clip"):
        joints_to_features(clips(), HUMANML3D, [60, 60])


def test_features_and_offsets_of_another_skeleton_are_refused():
    with pytest.raises(UserError, match=r"\(10, 251\) do not fit .*263"):
        features_to_joints(torch.zeros(10, 251), HUMANML3D)
    with pytest.raises(UserError, match="target offsets"):
        joints_to_features(clips(), HUMANML3D, offsets=KIT.offsets())
