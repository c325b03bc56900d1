"""Kept results are checked by what they record, without their data."""

from pathlib import Path

import pytest

from evaluation.reports.results_file import read_results
from launch.cli import main
from launch.composition.compose import compose_config, plain_containers
from launch.composition.recorded import made_by
from launch.plans.committed import check_committed, why_stale
from launch.plans.graph import plan_experiment
from motiongpt.errors import UserError
from tests.unit.results_files import number, write

WORDS = ["experiment=quickstart", "method=lookup"]


def kept(folder, **changes):
    """A results file that today's plan would sign."""
    config = compose_config(WORDS)
    plan = plan_experiment(config, Path(), "f" * 16)
    return write(
        folder,
        number(),
        **{
            "signature": plan[-1].run.signature,
            "made": made_by([" ".join(WORDS)], plain_containers(config)),
            **changes,
        },
    )


def test_what_today_would_sign_is_todays(tmp_path):
    assert why_stale(read_results(kept(tmp_path))) == ""
    assert main(["check-results", str(tmp_path)]) == 0


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
    assert said in why_stale(read_results(kept(tmp_path, **changes)))


def test_a_raised_version_makes_results_stale(tmp_path, monkeypatch):
    path = kept(tmp_path)
    conf = compose_config(WORDS)

    def raised(overrides):
        assert overrides == WORDS
        other = plain_containers(conf)
        other["stage"]["classifier"]["version"] += 1
        return type(conf)(other)

    monkeypatch.setattr("launch.plans.committed.compose_config", raised)
    assert "its signature is" in why_stale(read_results(path))


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
    assert main(["check-results", str(tmp_path)]) == 0
    now, old = check_committed([tmp_path])
    assert (now.stale, now.mark, old.mark) == ("", "", "of older stages")
    (study / "README.md").write_text(
        "- stale: `results/old/results.json`: of older stages\n"
        "- stale: `results/now/results.json`: of older stages\n"
    )
    capsys.readouterr()
    assert main(["check-results", str(tmp_path)]) == 1
    assert "take that line out" in capsys.readouterr().out


def test_a_folder_that_is_not_there_is_one_line(tmp_path):
    with pytest.raises(UserError, match="no such folder"):
        check_committed([tmp_path / "nowhere"])
