"""`motiongpt evaluators card`: of an experiment, and of an evaluator that is finished."""

import json

import pytest

from launch import cli
from launch.plans.finished_evaluator import plan_of_evaluator
from launch.runs.ledger import all_runs
from motiongpt.files import write_json

TINY = ["debug=tiny", "stage.card.perturbations=[shuffled_in_time,mirrored]"]


def ran(capsys, *words):
    """Exit status and what was printed."""
    status = cli.main(["evaluators", "card", *words])
    out = capsys.readouterr()
    return status, out.out + out.err


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Runs of a tiny experiment's card."""
    root = tmp_path_factory.mktemp("root")
    output = root / "copied"
    words = [*TINY, f"paths.root={root}", "--output", str(output)]
    assert cli.main(["evaluators", "card", *words]) == 0
    return root


def evaluator_of(root):
    (run,) = [run for run in all_runs(root) if run.stage == "evaluator"]
    return run


def test_judges_are_trained_where_they_are_absent_and_the_card_is_copied(root):
    assert sorted(run.stage for run in all_runs(root)) == ["card", "classifier", "evaluator"]
    (card,) = [run for run in all_runs(root) if run.stage == "card"]
    found = json.loads((root / "copied" / "card.json").read_text())
    assert found["signature"] == card.signature and found["clips"] == 6
    assert [one["row"] for one in found["rows"]][2:4] == ["shuffled in time", "mirrored"]
    assert (root / "copied" / "card.png").exists() and (root / "copied" / "card.md").exists()
    assert card.metrics["real/fid"] == pytest.approx(0, abs=1e-6)
    for stage, folder in (("evaluator", "evaluator"), ("classifier", "classifier")):
        (run,) = [run for run in all_runs(root) if run.stage == stage]
        own = json.loads((run.folder / folder / "card.json").read_text())
        assert own["data"]["split"] == "val" and len(own["rows"]) > 10
    assert "val/shuffled_in_time/fid" in evaluator_of(root).metrics


def test_a_finished_evaluator_is_named_by_its_folder(root, capsys):
    status, said = ran(capsys, str(evaluator_of(root).folder), "--dry-run")
    assert status == 0 and "3 stages: 0 to run, 3 reused" in said
    status, said = ran(capsys, str(evaluator_of(root).folder), "--output", str(root / "again"))
    assert status == 0 and "shuffled in time" in said and "reused" in said
    assert (root / "again/card.md").read_text() == (root / "copied/card.md").read_text()


def test_an_evaluator_without_todays_card_gets_todays(root):
    folder = evaluator_of(root).folder
    record = json.loads((folder / "config.json").read_text())
    del record["config"]["stage"]["card"]
    record["config"]["stage"]["classifier"]["version"] = 1
    kept = (folder / "config.json").read_bytes()
    try:
        write_json(folder / "config.json", record)
        plan = {stage.run.stage: stage for stage in plan_of_evaluator(str(folder))}
    finally:
        (folder / "config.json").write_bytes(kept)
    assert plan["evaluator"].finished and not plan["classifier"].finished
    assert len(plan["card"].settings["perturbations"]) == 10
    assert plan["card"].settings["replications"] == 2, "of the run's own protocol"


def test_a_plan_is_printed_and_nothing_written(tmp_path, capsys):
    status, said = ran(capsys, *TINY, f"paths.root={tmp_path / 'none'}", "--dry-run")
    assert status == 0 and "evaluator" in said and "classifier" in said and "card" in said
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["goal=evaluate"], "leave goal= away"),
        (["1a2b", "seed=3"], "one finished run alone, or overrides"),
        (
            ["stage.card.perturbations=[shuffled]", "--dry-run"],
            "perturbation shuffled: no such one",
        ),
    ],
)
def test_what_means_nothing_is_refused_in_one_line(words, said, tmp_path, capsys):
    root = [] if "1a2b" in words else [*TINY[:1], f"paths.root={tmp_path}"]
    status, line = ran(capsys, *root, *words)
    assert status == 2 and said in line and "Traceback" not in line


def test_runs_of_other_stages_are_refused(root, capsys):
    (run,) = [run for run in all_runs(root) if run.stage == "classifier"]
    status, line = ran(capsys, str(run.folder))
    assert status == 2 and "a run of the stage classifier; name one of evaluator" in line
