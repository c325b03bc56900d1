import numpy as np

from evaluation.baselines import hold_last_pose, interpolate_linear
from evaluation.comparison import CHANCE, HOLD, LINEAR, MODEL, REAL, methods
from tests.unit.cases import make_case


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


def test_completions_stand_beside_what_costs_no_learning():
    joints = straight(10)
    places = np.arange(10)
    prediction = methods([make_case(joints, given=places < 3)], seed=0)
    assert list(prediction) == [MODEL, REAL, HOLD]
    completed = prediction[HOLD][0].joints
    assert (completed[:3] == joints[:3]).all() and (completed[3:] == joints[2]).all()
    between = methods([make_case(joints, given=(places < 3) | (places > 6))], seed=0)
    np.testing.assert_allclose(between[LINEAR][0].joints, joints, atol=1e-6)


def test_chance_answers_with_another_clip():
    cases = [
        make_case(straight(3), name=str(i), captions=(f"caption {i}",), text="model's")
        for i in range(9)
    ]
    answers = methods(cases, seed=4)
    assert list(answers) == [MODEL, REAL, CHANCE]
    assert [case.text for case in answers[REAL]] == [f"caption {i}" for i in range(9)]
    swapped = [case.text for case in answers[CHANCE]]
    assert all(text != f"caption {i}" for i, text in enumerate(swapped))
    assert sorted(swapped) == [f"caption {i}" for i in range(9)]
    assert [case.captions[0] for case in answers[CHANCE]] == [f"caption {i}" for i in range(9)]
