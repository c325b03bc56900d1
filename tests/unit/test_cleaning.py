"""Clean-up: standing feet stand, trembling goes, impacts stay, bones keep their lengths."""

import numpy as np
import pytest

from evaluation.metrics.floor_contact import sliding_speeds
from evaluation.metrics.jitter import jerks
from motiongpt import Motion
from motiongpt.data.synthetic import SyntheticSource
from motiongpt.errors import UserError
from motiongpt.motion.contacts import runs, standing
from motiongpt.motion.skeleton import HUMANML3D
from motiongpt.motion.smoothing import smoothed
from tests.unit.test_rigid import lengths, trembling


@pytest.fixture(scope="module")
def clips():
    return [
        np.asarray(clip.joints, np.float64) for clip in SyntheticSource(clips=20, seed=4).clips()
    ]


def drifting(joints):
    """The whole body slides to and fro by 6 cm within 1.6 s, as generated ones do."""
    away = 0.06 * np.sin(2 * np.pi * np.arange(len(joints)) / (1.6 * 20))
    return joints + away[:, None, None] * np.array([0.6, 0, 0.8])


def mean_sliding(clips):
    return np.concatenate([sliding_speeds(one, HUMANML3D, 20.0) for one in clips]).mean()


def test_standing_feet_stand(clips):
    sliding = [drifting(one) for one in clips]
    cleaned = [Motion.from_joints(one, 20).rigid().clean("feet").joints for one in sliding]
    assert mean_sliding(sliding) > 0.1
    assert mean_sliding(cleaned) < 2 * mean_sliding(clips)
    moved = [np.linalg.norm(a - b, axis=-1).mean() for a, b in zip(cleaned, sliding, strict=True)]
    assert np.mean(moved) < 0.03
    for one in cleaned:
        assert np.ptp(lengths(one.astype(float)), axis=0).max() < 1e-4


def test_real_motion_hardly_changes(clips):
    for joints in clips:
        found = Motion.from_joints(joints, 20).clean("feet", "smooth").joints
        assert np.linalg.norm(found - joints, axis=-1).mean() < 0.01


def test_trembling_goes(clips):
    shaking = [trembling(one, 0.01, number) for number, one in enumerate(clips)]
    cleaned = [Motion.from_joints(one, 20).clean("smooth").joints for one in shaking]
    jerk = [
        np.concatenate([jerks(one, 20.0) for one in some]).mean() for some in (shaking, cleaned)
    ]
    assert jerk[1] < 0.4 * jerk[0]


def test_an_impact_stays_as_hard_as_it_was():
    """A hand falls and stops within a frame; around it everything trembles by a millimetre."""
    rng = np.random.default_rng(0)
    joints = rng.normal(0, 0.001, (60, 22, 3))
    joints[:, 21, 1] += np.interp(np.arange(60), [0, 20, 30, 60], [1, 1, 0, 0])
    found = smoothed(joints, 20.0)
    assert np.abs(found[:, 21] - joints[:, 21]).max() < 0.006  # alone, the filter takes 9 mm
    calm = np.delete(found, 21, axis=1)
    assert calm[5:-5].std() < 0.75 * joints[5:-5, :21].std()


def test_contacts_are_found_and_short_ones_are_none():
    toe = np.zeros((40, 3))
    toe[10:20, 1] = 0.3  # in the air
    toe[30, 1] = 0.06  # trembles above the bound for a frame
    toe[20:, 2] += 0.5
    stands = standing(toe, 0.0, 20.0)
    assert runs(stands) == [(0, 10), (20, 40)]
    assert runs(standing(np.zeros((2, 3)), 0.0, 20.0)) == []
    assert runs(standing(np.zeros((1, 3)), 0.0, 20.0)) == []


def test_short_motions_and_unknown_steps(clips):
    motion = Motion.from_joints(clips[0], 20)
    for frames in (1, 2, 5):
        assert motion[:frames].clean("feet", "smooth").frames == frames
    with pytest.raises(UserError, match="clean=hands: choose of feet, smooth"):
        motion.clean("hands")
