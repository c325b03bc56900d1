"""The plan of a sweep names what differs, and asks for nothing that is not needed."""

import json
from dataclasses import replace

import pytest

from launch.commands.clean import main as clean
from launch.plans.graph import needed
from launch.runs.attempts import claimed
from launch.sweeps.cleaning import find_scored, find_waste
from launch.sweeps.differences import differences
from launch.sweeps.missing import missing_of
from launch.sweeps.overview import overview
from launch.sweeps.record import Point, make_sweep
from launch.sweeps.reused import check_undamaged, made_again, reused_lines
from launch.tables import MANY, stage_lines
from motiongpt.checksums import CHECKSUMS
from motiongpt.errors import UserError
from tests.unit.plans import planned

GENERATE = "evaluation.generate_stage.GenerateStage"
EVALUATE = "evaluation.evaluate_stage.EvaluateStage"


def point(words, *stages):
    return Point(words.split(), [list(one) for one in stages], [])


def test_a_stage_is_told_by_what_its_experiments_alone_have():
    keys = {name: ("tokenizer", name) for name in "abc"}
    points = [
        point(f"data=x tokenizer.codebook_size={k} seed={seed}", keys[name], ("evaluator", "e"))
        for k, name in ((256, "a"), (512, "b"))
        for seed in (1, 2)
    ]
    found = differences([*points, point("data=x seed=3", keys["c"], ("evaluator", "e"))])
    assert found["tokenizer", "b"] == {"codebook_size": "512", "seed": "1,2"}
    assert found["tokenizer", "c"] == {"codebook_size": "default", "seed": "3"}
    assert found["evaluator", "e"] == {}
    assert set(map(str, differences(points[:1]).values())) == {"{}"}


def test_names_that_end_alike_are_told_apart():
    words = "stage.{}.schedule.steps={}"
    points = [
        point(f"{words.format('a', a)} {words.format('b', b)}", ("s", f"{a}{b}"))
        for a in (1, 2)
        for b in (1, 2)
    ]
    assert differences(points)["s", "12"] == {
        "a.schedule.steps": "1",
        "b.schedule.steps": "2",
    }


def test_the_plan_has_a_column_for_it_and_a_long_one_a_summary(tmp_path):
    stages = [planned(tmp_path, "tokenizer", f"k{number}") for number in range(MANY + 1)]
    told = {("tokenizer", f"k{number}"): {"rate": str(number)} for number in range(MANY + 1)}
    table = stage_lines(stages[:2], told)[0].splitlines()
    assert table[0].split()[-2:] == ["differs", "in"] and table[3].split()[-1] == "rate=1"
    assert f"rate ({MANY + 1} values)" in stage_lines(stages, told)[0]
    assert "differs" not in stage_lines(stages[:2])[0]


def test_the_plan_says_what_is_made_anew(tmp_path):
    made = planned(tmp_path, "tokenizer", "k1")
    finish(made)
    (again,) = made_again([made], ["tokenizer"])
    assert "reused" in stage_lines([made])[0]
    table, total = stage_lines([again])
    assert "made anew" in table and total == "1 stages: 1 to run, 0 reused"


def test_without_data_there_are_no_signatures(tmp_path):
    table, total = stage_lines([replace(planned(tmp_path, "tokenizer", "k1"), fingerprint="")])
    assert "k1" not in table and "data would be prepared first" in total


@pytest.fixture
def scored(tmp_path):
    """A tokenizer, the predictions made with it and their scores, all finished but the scores."""
    tokenizer = planned(tmp_path, "tokenizer", "k")
    generate = replace(
        planned(tmp_path, "tokens", "g", [tokenizer]), settings={"_target_": GENERATE}
    )
    evaluate = replace(
        planned(tmp_path, "tokens", "e", [generate]), settings={"_target_": EVALUATE}
    )
    plan = [tokenizer, generate, evaluate]
    plan = [
        replace(one, run=replace(one.run, stage=name))
        for one, name in zip(plan, NAMES, strict=True)
    ]
    plan[2] = replace(plan[2], parents={"generate": plan[1].run})
    make_sweep(tmp_path, ["run"], [["seed=1"]], [plan]).write()
    for stage in plan[:2]:
        finish(stage)
    return plan


NAMES = ("tokenizer", "generate", "evaluate")


def finish(stage):
    with claimed(stage.run, lambda line: None) as attempt:
        record = {"settings": stage.settings, "parents": {}}
        record["parents"] = {name: run.signature for name, run in stage.parents.items()}
        (attempt.folder / "config.json").write_text(json.dumps(record))
        (attempt.folder / "data").write_bytes(b"x" * 1_000_000)
        attempt.publish({})


def test_predictions_go_when_they_are_scored_and_only_when_asked(tmp_path, scored, capsys):
    assert find_scored(tmp_path) == []
    finish(scored[2])
    assert [one.path for one in find_scored(tmp_path)] == [scored[1].run.folder]
    assert find_waste(tmp_path) == []
    assert clean([f"paths.root={tmp_path}"]) == 0 and scored[1].run.is_finished
    assert "kept: 1.0 MB of predictions whose scores are there" in capsys.readouterr().out
    assert clean([f"paths.root={tmp_path}", "--predictions"]) == 0
    assert not scored[1].run.folder.exists()
    assert scored[0].run.is_finished and scored[2].run.is_finished


def test_predictions_stay_while_an_experiment_still_needs_them(tmp_path, scored):
    finish(scored[2])
    other = replace(scored[2], run=replace(scored[2].run, signature="other"))
    make_sweep(tmp_path, ["run"], [["seed=2"]], [[*scored[:2], other]]).write()
    assert find_scored(tmp_path) == []


def test_what_was_cleaned_away_is_made_again_only_when_something_needs_it(tmp_path, scored):
    assert needed(scored) == scored
    finish(scored[2])
    (waste,) = find_scored(tmp_path)
    waste.delete()
    sweep = make_sweep(tmp_path, ["run"], [["seed=1"]], [scored])
    assert [one.run.stage for one in needed(scored)] == ["tokenizer", "evaluate"]
    assert all(one.finished for one in needed(scored))
    assert missing_of(sweep, sweep.points[0], {}) is None, "its result is there"
    other = replace(scored[2], run=replace(scored[2].run, signature="other"))
    assert needed([*scored, other]) == [*scored, other]
    assert needed(scored[:2]) == scored[:2], "predictions may be the goal"


def test_what_was_cleaned_away_is_not_called_damaged(tmp_path, scored):
    finish(scored[2])
    assert (scored[1].run.folder / CHECKSUMS).is_file()
    assert clean([f"paths.root={tmp_path}", "--predictions"]) == 0
    assert not any(CHECKSUMS in file.name for file in tmp_path.glob("runs/generate/**/*"))
    for plan in (scored, needed(scored)):
        assert reused_lines(plan) == []
        check_undamaged(plan)
    again = made_again(scored, ["generate"])
    assert needed(again) == again and [one.finished for one in again] == [True, False, False]
    check_undamaged(again)


def test_what_a_damaged_sweep_may_need_is_not_cleaned_away(tmp_path, scored, capsys):
    finish(scored[2])
    (sweep,) = tmp_path.glob("sweeps/*/sweep.json")
    sweep.write_text("{")
    assert clean([f"paths.root={tmp_path}"]) == 0 and "kept" not in capsys.readouterr().out
    with pytest.raises(UserError, match="sweep.json"):
        clean([f"paths.root={tmp_path}", "--predictions"])
    assert scored[1].run.is_finished


def test_what_is_no_prediction_is_made_again(tmp_path, scored):
    finish(scored[2])
    scored[0].run.folder.rename(tmp_path / "away")
    assert needed(scored) == scored


def test_status_names_what_differs(tmp_path):
    plans = [[planned(tmp_path, "tokenizer", name)] for name in "ab"]
    sweep = make_sweep(tmp_path, ["run"], [["data=x", f"seed={i}"] for i in (1, 2)], plans)
    sweep.write()
    for (stage,) in plans:
        finish(stage)
    said = {line.run.signature: line.experiments for line in overview(tmp_path)}
    assert said == {"a": f"{sweep.name} 1: seed=1", "b": f"{sweep.name} 2: seed=2"}
