import numpy as np
import torch

from evaluation.replications.baselines import at_rest, hold_last_pose, interpolate_linear
from evaluation.replications.comparison import (
    CHANCE,
    HOLD,
    HOLD_FIRST,
    LINEAR,
    MEAN_POSE,
    REAL,
    SHUFFLED,
    baselines,
)
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.skeleton import HUMANML3D
from tests.unit.cases import make_case
from tests.unit.fake_source import joint_clip

MEAN = np.zeros(263, np.float32)


def straight(frames):
    """Joints that move along X by one metre a frame."""
    joints = np.zeros((frames, 22, 3), np.float32)
    joints[..., 0] = np.arange(frames)[:, None]
    return joints


def test_holding_repeats_the_last_given_pose():
    held = hold_last_pose(straight(4), 3)
    assert held.shape == (3, 22, 3) and (held == straight(4)[3]).all()


def test_interpolation_of_a_straight_motion_is_that_motion():
    joints = straight(10)
    np.testing.assert_allclose(
        interpolate_linear(joints[:3], joints[7:], 4), joints[3:7], atol=1e-6
    )
    assert interpolate_linear(joints[:3], joints[3:], 0).shape == (0, 22, 3)


def walking():
    """Joints (20, 22, 3) of a body that sways and wanders off."""
    return joint_clip("walk", frames=20).joints


def test_completions_stand_beside_what_costs_no_learning():
    joints, places = walking(), np.arange(20)
    held = baselines([make_case(joints, given=places < 6)], "continuation", MEAN, seed=0)
    assert list(held) == [REAL, HOLD, SHUFFLED]
    completed = held[HOLD][0]
    assert (completed.joints[:6] == joints[:6]).all() and (completed.joints[6:] == joints[5]).all()
    assert completed.features.shape == (19, 263) and np.isfinite(completed.features).all()
    given = (places < 6) | (places > 13)
    line = baselines([make_case(joints, given=given)], "inbetween", MEAN, seed=0)[LINEAR][0]
    np.testing.assert_allclose(line.joints[given], joints[given])
    middle = (joints[5] + joints[14]) / 2
    np.testing.assert_allclose(line.joints[6:14].mean(0), middle, atol=1e-5)


def test_chance_answers_with_another_clip():
    cases = [
        make_case(straight(3), name=str(i), captions=(f"caption {i}",), text="model's")
        for i in range(9)
    ]
    answers = baselines(cases, "motion", MEAN, seed=4)
    assert list(answers) == [REAL, CHANCE, SHUFFLED]
    assert [case.text for case in answers[REAL]] == [f"caption {i}" for i in range(9)]
    swapped = [case.text for case in answers[CHANCE]]
    assert all(text != f"caption {i}" for i, text in enumerate(swapped))
    assert sorted(swapped) == [f"caption {i}" for i in range(9)]
    assert [case.captions[0] for case in answers[CHANCE]] == [f"caption {i}" for i in range(9)]


def numbered(frames, **other):
    """A case whose frame k is full of k."""
    reference = np.repeat(np.arange(frames, dtype=np.float32)[:, None], 263, axis=1)
    return make_case(walking()[:frames], reference=reference, **other)


def test_shuffled_frames_stand_beside_all_motions_and_what_was_given_stays_in_its_place():
    places = np.arange(20)
    for kind, given in (
        ("motion", places < 0),
        ("reconstruction", places < 0),
        ("continuation", places < 6),
        ("inbetween", (places < 6) | (places > 13)),
    ):
        case = baselines([numbered(20, given=given)], kind, MEAN, seed=3)[SHUFFLED][0]
        order = case.features[:, 0]
        assert (order[given] == places[given]).all(), kind
        assert sorted(order) == list(range(20)) and (order != places).any(), kind
    assert SHUFFLED not in baselines([numbered(20)], "text", MEAN, seed=3)


def test_a_reconstruction_stands_beside_two_bodies_that_do_not_move():
    beside = baselines([numbered(20)], "reconstruction", MEAN, seed=3)
    assert list(beside) == [REAL, MEAN_POSE, HOLD_FIRST, SHUFFLED]
    held = beside[HOLD_FIRST][0].features
    assert held.shape == (20, 263) and (held == held[0]).all()


def test_a_frame_at_rest_keeps_its_pose_and_holds_still():
    frame = np.random.default_rng(0).normal(size=263).astype(np.float32)
    still = at_rest(frame, HUMANML3D)
    assert (still[3 : 4 + 9 * 21] == frame[3 : 4 + 9 * 21]).all() and (still[-4:] == 1).all()
    joints = features_to_joints(torch.from_numpy(np.repeat(still[None], 9, axis=0)), HUMANML3D)
    assert (joints == joints[:1]).all()
