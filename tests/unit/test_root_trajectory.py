"""Heading, lost turns and the root's way beside the real clip."""

import numpy as np
import pytest

from evaluation.case import Scorers
from evaluation.metrics.base import Batch
from evaluation.metrics.root_trajectory import RootTrajectory, headings
from motiongpt.motion.skeleton import HUMANML3D
from tests.unit.cases import make_case
from tests.unit.fake_source import rest_pose

SCORERS = Scorers(HUMANML3D, 20.0, {})
FRAMES = 40


def turned(degrees, frames=FRAMES):
    """The rest pose, turned about Y by `degrees` of each frame, a metre beside the origin."""
    angles = np.radians(np.broadcast_to(degrees, frames))
    cos, sin = np.cos(angles), np.sin(angles)
    zero, one = np.zeros(frames), np.ones(frames)
    turns = np.stack([[cos, zero, sin], [zero, one, zero], [-sin, zero, cos]]).transpose(2, 0, 1)
    return np.einsum("txy,jy->tjx", turns, rest_pose()) + [1.0, 0.0, 0.0]


def numbers(*cases):
    metric = RootTrajectory()
    metric.update(Batch(cases, scorers=SCORERS))
    return {name: float(value) for name, value in metric.compute().items()}


def test_headings_follow_a_turn_beyond_a_full_circle():
    found = headings(turned(np.linspace(0, 450, FRAMES)), HUMANML3D)
    assert np.diff(found) == pytest.approx(np.full(FRAMES - 1, 450 / (FRAMES - 1)), abs=1e-3)


@pytest.mark.parametrize(("other", "off"), [(30, 30), (-30, 30), (350, 10), (180, 180), (360, 0)])
def test_the_heading_is_off_by_the_smaller_angle(other, off):
    found = numbers(make_case(turned(0.0), turned(other)))
    assert found["heading_error"] == pytest.approx(off, abs=1e-2)
    assert "turn_lost" not in found, "nobody turns"


def test_a_turn_that_is_not_made_is_lost_and_half_of_one_is_half():
    ways = np.linspace(0, 360, FRAMES)
    real, half = turned(ways), turned(ways / 2)
    assert numbers(make_case(real, real))["turn_lost"] == pytest.approx(0, abs=1e-3)
    assert numbers(make_case(real, turned(0.0)))["turn_lost"] == pytest.approx(100, abs=1e-2)
    both = numbers(make_case(real, half), make_case(turned(ways / 4), turned(0.0)))
    assert both["turn_lost"] == pytest.approx(100 * (180 + 90) / (360 + 90), abs=1e-2)


def test_the_root_is_apart_by_metres_where_nothing_was_given():
    real = turned(0.0)
    given = np.arange(FRAMES) < FRAMES // 2
    moved = real + np.where(given, 0.0, 0.5)[:, None, None] * [1.0, 0.0, 0.0]
    found = numbers(make_case(real, moved, given))
    assert found["root_error"] == pytest.approx(0.5) and found["heading_error"] == pytest.approx(0)
    assert numbers(make_case(real, moved, np.ones(FRAMES, bool))) == {}


def test_what_ends_early_holds_its_last_pose():
    ways = np.linspace(0, 90, FRAMES)
    found = numbers(make_case(turned(ways), turned(ways)[: FRAMES // 2]))
    assert 0 < found["heading_error"] < 45 and 40 < found["turn_lost"] < 60
