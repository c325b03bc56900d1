"""Kept results are checked by what they record, without their data."""

import copy
import json
from functools import cache
from pathlib import Path

import pytest

from launch.cli import main
from launch.composition.compose import Composed, Composer
from launch.composition.recorded import made_by
from launch.plans.committed import check_committed, read_kept, why_stale
from launch.plans.graph import plan_experiment
from motiongpt.errors import UserError
from tests.unit.results_files import number, write

WORDS = ["experiment=quickstart", "method=lookup"]


COMPOSER = Composer()


@cache
def todays():
    composed = COMPOSER.compose(WORDS)
    plan = plan_experiment(composed.config, Path(), "f" * 16)
    return plan[-1].run.signature, made_by([" ".join(WORDS)], composed.plain)


def kept(folder, **changes):
    """A results file that today's plan would sign."""
    signature, made = todays()
    return write(
        folder,
        number(),
        **{
            "signature": signature,
            "made": dict(made),
            **changes,
        },
    )


def test_what_today_would_sign_is_todays(tmp_path):
    assert why_stale(read_kept(kept(tmp_path)), COMPOSER) == ""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"made": {}}, "does not record the overrides"),
        ({"signature": "0" * 16}, "its signature is 0000000000000000, today's "),
        ({"data__fingerprint": "other"}, "today's"),
        ({"stage": "evaluate_codec"}, "no stage evaluate_codec"),
        ({"made__overrides": [*WORDS, "evaluation_seed=3"]}, "today's"),
        ({"made__overrides": [*WORDS, "nonsense=7"]}, "can't be planned today"),
        ({"made__overrides": [*WORDS, "data.source.seed=9"]}, "settings of its data"),
        ({"made__overrides": ["experiment=gone"]}, "can't be planned today: "),
    ],
)
def test_what_has_changed_since_is_named(tmp_path, changes, said):
    assert said in why_stale(read_kept(kept(tmp_path, **changes)), COMPOSER)


class Raised:
    """A composer of settings in which one stage has a version that has been raised since."""

    def compose(self, overrides):
        assert overrides == WORDS
        composed = COMPOSER.compose(overrides)
        plain = copy.deepcopy(composed.plain)
        plain["stage"]["classifier"]["version"] += 1
        return Composed(composed.config, plain)


def test_a_raised_version_makes_results_stale(tmp_path):
    assert "its signature is" in why_stale(read_kept(kept(tmp_path)), Raised())


def test_a_stale_result_is_marked_in_a_readme_and_a_mark_is_true(tmp_path, capsys):
    study = tmp_path / "study"
    kept(study / "results/now")
    kept(study / "results/old", signature="0" * 16)
    (study / "results/timing").mkdir()
    (study / "results/timing/results.json").write_text('{"format": 2}')  # of another kind
    assert main(["check-results", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "no README says so" in out and "2 results, 1 of them stale, 1 not marked" in out
    (study / "README.md").write_text("- stale: `results/old/results.json`: of older stages\n")
    now, old = check_committed([tmp_path])
    assert not now.wrong and not old.wrong
    assert (now.stale, now.mark, old.mark) == ("", "", "of older stages")
    (study / "README.md").write_text(
        "- stale: `results/old/results.json`: of older stages\n"
        "- stale: `results/now/results.json`: of older stages\n"
    )
    now, old = check_committed([tmp_path])
    assert "take that line out" in now.wrong and not old.wrong


def test_a_folder_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(UserError, match="no such folder"):
        check_committed([tmp_path / "nowhere"])


def test_a_card_is_checked_as_results_are(tmp_path):
    signature, made = todays()
    card = {
        "stage": "evaluate",
        "signature": signature,
        "data": {"fingerprint": "f" * 16},
        "made": dict(made),
    }
    (tmp_path / "card.json").write_text(json.dumps(card))
    assert [one.stale for one in check_committed([tmp_path])] == [""]
    (tmp_path / "card.json").write_text(json.dumps({**card, "signature": "0" * 16}))
    assert "its signature is" in check_committed([tmp_path])[0].wrong
    (tmp_path / "card.json").write_text(json.dumps({**card, "data": None}))
    with pytest.raises(UserError, match="no card of evaluators"):
        check_committed([tmp_path])
