"""Sliding, floating, penetration, jitter and bones, of motions whose errors are known."""

import numpy as np
import pytest

from evaluation.case import Scorers
from evaluation.metrics.base import MOTIONS, Batch
from evaluation.metrics.bone_length import BoneLengthError
from evaluation.metrics.floor_contact import Floating, FootSliding, Penetration
from evaluation.metrics.jitter import Jitter
from motiongpt.errors import UserError
from motiongpt.motion.skeleton import HUMANML3D, KIT
from tests.unit.cases import make_case

SCORERS = Scorers(HUMANML3D, 20.0, {})
METRICS = (FootSliding, Floating, Penetration, Jitter, BoneLengthError)
LEFT_TOE, RIGHT_TOE = 10, 11


def standing(frames=10, height=0.0):
    """A stiff body with both toes at `height` and all else 1 m above it."""
    pose = np.random.default_rng(0).uniform(0.2, 1.0, (22, 3))
    pose[:, 1] = 1.0
    pose[[LEFT_TOE, RIGHT_TOE], 1] = 0.0
    return np.repeat(pose[None] + [0, height, 0], frames, axis=0)


def number(metric, *motions, reference=None, scorers=SCORERS):
    reference = standing() if reference is None else reference
    metric.update(Batch(cases=[make_case(reference, one) for one in motions], scorers=scorers))
    found = metric.compute()
    return next(iter(found.values())).item() if found else None


def test_standing_still_has_no_error():
    for metric in METRICS:
        assert number(metric(), standing()) == pytest.approx(0, abs=1e-4)
        assert metric.kinds == MOTIONS and len(metric.numbers) == 1


def test_sliding_is_the_speed_of_the_toes_that_stay_on_the_ground():
    motion = standing()
    motion[:, LEFT_TOE, 0] += 0.03 * np.arange(10)
    motion[:, LEFT_TOE, 2] += 0.04 * np.arange(10)
    assert number(FootSliding(), motion) == pytest.approx(20 * 0.05 / 2, rel=1e-4)
    assert number(FootSliding(), motion, scorers=Scorers(HUMANML3D, 10.0, {})) == pytest.approx(
        10 * 0.05 / 2, rel=1e-4
    )
    motion[:, LEFT_TOE, 1] = 0.06  # in the air
    assert number(FootSliding(), motion) == pytest.approx(0, abs=1e-5)
    motion[:, RIGHT_TOE, 1] = 0.06
    assert number(FootSliding(), motion) is None


def test_sliding_needs_two_adjacent_frames_on_the_ground():
    motion = standing()
    motion[:, [LEFT_TOE, RIGHT_TOE], 0] += 0.1 * np.arange(10)[:, None]
    motion[::2, [LEFT_TOE, RIGHT_TOE], 1] = 0.2
    assert number(FootSliding(), motion) is None


def test_floating_and_penetration_are_heights_beyond_5_mm():
    assert number(Floating(), standing(height=0.105)) == pytest.approx(100, rel=1e-4)
    assert number(Penetration(), standing(height=0.105)) == 0
    assert number(Penetration(), standing(height=-0.025)) == pytest.approx(20, rel=1e-3)
    assert number(Floating(), standing(height=-0.025)) == 0
    for height in (0.004, -0.004):
        assert number(Floating(), standing(height=height)) == 0
        assert number(Penetration(), standing(height=height)) == 0
    # A mean over the frames of all clips.
    assert number(Floating(), standing(30), standing(10, 0.105)) == pytest.approx(25, rel=1e-4)


def test_a_handstand_does_not_float():
    motion = standing(height=1.0)
    motion[:, 20, 1] = 0.0
    assert number(Floating(), motion) == 0


def test_jitter_is_the_third_derivative_in_seconds():
    seconds = np.arange(10) / 20.0
    motion = standing()
    motion[..., 0] += (7 + 3 * seconds - 2 * seconds**2 + 4 * seconds**3)[:, None]
    assert number(Jitter(), motion) == pytest.approx(24, rel=0.02)
    motion[..., 0] -= (4 * seconds**3)[:, None]
    assert number(Jitter(), motion) == pytest.approx(0, abs=0.05)
    assert number(Jitter(), standing(3)) is None


def test_bones_are_those_of_the_real_clip():
    longer = standing()
    # A toe is the end of one bone, and of no other the beginning.
    ankle = HUMANML3D.parents[LEFT_TOE]
    bone = longer[:, LEFT_TOE] - longer[:, ankle]
    longer[:, LEFT_TOE] += 0.021 * bone / np.linalg.norm(bone, axis=-1, keepdims=True)
    assert number(BoneLengthError(), longer) == pytest.approx(1.0, rel=1e-3)
    turned = standing()[..., [2, 1, 0]] + 5
    assert number(BoneLengthError(), turned) == pytest.approx(0, abs=1e-3)


def test_toes_are_those_of_the_skeleton():
    motion = np.ones((10, 21, 3))
    motion[:, [20, 15], 1] = 0.0
    motion[:, 20, 0] += 0.1 * np.arange(10)
    case = make_case(motion, features=np.zeros((10, 251), np.float32), skeleton=KIT)
    metric = FootSliding()
    metric.update(Batch(cases=[case], scorers=Scorers(KIT, 12.5, {})))
    assert metric.compute()["foot_sliding"].item() == pytest.approx(12.5 * 0.1 / 2, rel=1e-4)


@pytest.mark.parametrize("metric", METRICS)
def test_motions_without_frames_have_no_value_and_broken_ones_are_named(metric):
    assert number(metric(), np.zeros((0, 22, 3))) is None
    with pytest.raises(UserError, match="clip clip gives NaN or infinity"):
        number(metric(), np.full((10, 22, 3), np.nan))
