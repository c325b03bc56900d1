"""What scoring and its metrics say of themselves before anything is scored: sizes, names, rules."""

import numpy as np
import pytest

from evaluation.metrics.diversity import Diversity
from evaluation.metrics.fid import FrechetDistance
from evaluation.metrics.multimodality import MultiModality
from evaluation.metrics.numbers import Size
from evaluation.metrics.pairwise_distance import PairwiseDistance
from evaluation.metrics.retrieval import Retrieval
from evaluation.replications.cases import filled
from evaluation.replications.rules import Rules
from evaluation.replications.scoring import check_names
from evaluation.reports.first_schema import JUDGES
from launch.composition.build import build
from launch.composition.compose import compose_config
from motiongpt.errors import UserError


@pytest.mark.parametrize(
    ("metric", "size", "fits"),
    [
        (Diversity(300), Size(6), "protocol.scoring.diversity_pairs=6"),
        (Retrieval(pool=32), Size(31), "protocol.scoring.pool=31"),
        (FrechetDistance(), Size(1), "evaluate more clips"),
        (MultiModality(10), Size(1, 4), "protocol.scoring.multimodality_pairs=4"),
        (PairwiseDistance(), Size(9, 1), "protocol.requests.multimodality.samples=2"),
    ],
)
def test_metrics_say_ahead_when_a_set_is_too_small_and_what_fits(metric, size, fits):
    assert fits in metric.shortage(size) and "\n" not in metric.shortage(size)
    assert metric.shortage(Size(300, 30)) == ""


def test_the_metrics_that_are_shipped_have_names_of_their_own_and_say_what_judges_them():
    nodes = compose_config(["metrics=[all,bert_score]"]).metrics
    metrics = {str(name): build(node) for name, node in nodes.items()}
    check_names(metrics)
    # Files of the first schema are read by name: the list must say what the metrics say.
    judges = {name: judge for judge, names in JUDGES.items() for name in names}
    for metric in metrics.values():
        for name in metric.numbers:
            assert judges.get(name, "none") == metric.judge, name


def test_metrics_that_compare_sets_say_so():
    metrics = {str(name): build(node) for name, node in compose_config().metrics.items()}
    assert {name for name, one in metrics.items() if one.compares_sets} == {"fid", "diversity"}


def test_filling_and_cutting():
    motion, pose = np.ones((3, 2)), np.array([5.0, 6.0])
    np.testing.assert_array_equal(filled(motion, 2, pose), motion[:2])
    np.testing.assert_array_equal(filled(motion, 4, pose), [*motion, pose])


def test_unknown_rules_are_refused():
    with pytest.raises(UserError, match=r"protocol\.scoring\.pakcing: no such switch; valid: pool"):
        Rules.of({"pakcing": "packed"})
    with pytest.raises(UserError, match="packing=no: choose one of packed, released"):
        Rules.of({"packing": "no"})
    for value in (0, -1, 2.5, "many", None, True):
        with pytest.raises(UserError, match=r"scoring\.pool=.*: a whole number, at least 1"):
            Rules.of({"pool": value})
