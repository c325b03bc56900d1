import numpy as np
import torch

from evaluation.answers.writing import in_place
from motiongpt.motion.recover import features_to_joints
from motiongpt.motion.skeleton import HUMANML3D


def features(seed, frames=40):
    return (np.random.default_rng(seed).standard_normal((frames, 263)) * 0.05).astype(np.float32)


def joints(motion):
    return features_to_joints(torch.from_numpy(motion), HUMANML3D).numpy()


def test_given_frames_stay_and_the_end_is_where_it_was():
    reference, written = features(0), features(1)
    whole = in_place(written, reference, start=10, end=10)
    assert len(whole) == 40
    np.testing.assert_array_equal(whole[:10], reference[:10])
    np.testing.assert_array_equal(whole[30:], reference[30:])
    np.testing.assert_array_equal(whole[10:30, 3:], written[10:30, 3:])
    np.testing.assert_allclose(joints(whole)[30:], joints(reference)[30:], atol=1e-5)
    assert np.abs(joints(whole)[10:30] - joints(reference)[10:30]).max() > 0.01


def test_a_prediction_goes_on_from_the_last_given_frame():
    reference, written = features(0), features(1)
    whole = in_place(written, reference, start=8, end=0)
    np.testing.assert_array_equal(whole, np.concatenate([reference[:8], written[8:]]))
    short = in_place(written[:20], reference, start=8, end=0)
    assert len(short) == 20


def test_the_truth_in_place_is_the_truth():
    reference = features(0)
    np.testing.assert_allclose(in_place(reference, reference, 10, 10), reference, atol=1e-6)
