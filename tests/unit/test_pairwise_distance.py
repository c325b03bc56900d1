"""APD: several motions of one clip."""

import numpy as np
import pytest
import torch

from evaluation.case import Scorers
from evaluation.metrics.base import Batch
from evaluation.metrics.pairwise_distance import PairwiseDistance, pairwise_distance
from motiongpt.errors import UserError
from motiongpt.motion.skeleton import HUMANML3D
from tests.unit.cases import make_case

SCORERS = Scorers(HUMANML3D, 20.0, {})


def shifted(metres, frames=6):
    return np.zeros((frames, 22, 3)) + [metres, 0, 0]


def apd(cases, positions=None):
    metric = PairwiseDistance()
    metric.update(Batch(cases=cases, scorers=SCORERS, positions=positions))
    found = metric.compute()
    return found["apd"].item() if found else None


def samples(name, *motions, **other):
    return [make_case(shifted(0), motion, name=name, **other) for motion in motions]


def test_it_is_the_mean_distance_of_all_pairs():
    motions = [shifted(0), shifted(1), shifted(3)]
    assert apd(samples("a", *motions)) == pytest.approx((1 + 3 + 2) / 3)
    drawn = np.random.default_rng(0).normal(size=(5, 4, 22, 3))
    pairs = [(a, b) for a in range(5) for b in range(a)]
    expected = np.mean([np.linalg.norm(drawn[a] - drawn[b], axis=-1).mean() for a, b in pairs])
    assert pairwise_distance(drawn) == pytest.approx(expected)


def test_clips_are_grouped_by_name_and_counted_once_by_position():
    first, second = samples("a", shifted(0), shifted(1)), samples("b", shifted(0), shifted(4))
    assert apd(first + second) == pytest.approx(2.5)
    positions = torch.tensor([3, 8, 3])
    assert apd(first + second + first, positions) == pytest.approx(2.5)
    assert apd(first + second + first) == pytest.approx(2)
    with pytest.raises(UserError, match="4 positions for 2 clips"):
        apd(first + second, torch.arange(4))


def test_given_frames_do_not_count_and_an_early_end_holds_the_last_pose():
    moving = shifted(0)
    moving[3:] += [2, 0, 0]
    given = np.arange(6) < 3
    assert apd(samples("a", shifted(0), moving, given=given)) == pytest.approx(2)
    assert apd(samples("a", shifted(0), moving[:4], given=given)) == pytest.approx(2)
    assert apd(samples("a", shifted(0), shifted(1, frames=9))) == pytest.approx(1)


def test_fewer_than_two_motions_have_no_distance():
    assert apd(samples("a", shifted(1))) is None
    assert apd(samples("a", shifted(1), shifted(1)[:0])) is None
    with pytest.raises(UserError, match="needs 2 motions"):
        pairwise_distance(np.zeros((1, 4, 22, 3)))
