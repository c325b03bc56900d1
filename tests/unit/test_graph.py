import pytest
from omegaconf import OmegaConf

from launch.plans.graph import plan_experiment, union
from motiongpt.errors import UserError


def config(tmp_path, tokenizer=1, language=1, goal="evaluate"):
    return OmegaConf.create(
        {
            "paths": {"root": str(tmp_path)},
            "goal": goal,
            "stage": {
                "tokenizer": {"parents": [], "size": tokenizer},
                "tokens": {"parents": ["tokenizer"]},
                "language": {"parents": ["tokens"], "size": language},
                "evaluate": {"parents": ["tokenizer", "language"]},
                "unused": {"parents": []},
            },
        }
    )


def test_parents_come_first_and_only_what_the_goal_needs(tmp_path):
    plan = plan_experiment(config(tmp_path), tmp_path, "f")
    assert [stage.run.stage for stage in plan] == ["tokenizer", "tokens", "language", "evaluate"]
    goals = plan_experiment(config(tmp_path, goal=["tokens", "unused"]), tmp_path, "f")
    assert [stage.run.stage for stage in goals] == ["tokenizer", "tokens", "unused"]


def test_points_share_what_does_not_differ(tmp_path):
    plans = [
        plan_experiment(
            config(tmp_path, tokenizer, language), tmp_path, "f", f"{tokenizer} {language}"
        )
        for tokenizer in (1, 2)
        for language in (1, 2, 3)
    ]
    merged = union(plans)
    count = {
        name: sum(stage.run.stage == name for stage in merged)
        for name in ("tokenizer", "tokens", "language", "evaluate")
    }
    assert count == {"tokenizer": 2, "tokens": 2, "language": 6, "evaluate": 6}
    assert merged[0].needed_for == ("1 1", "1 2", "1 3")
    done = set()
    for stage in merged:
        assert {run.signature for run in stage.parents.values()} <= done
        done.add(stage.run.signature)


def test_other_data_is_another_experiment(tmp_path):
    first, second = (plan_experiment(config(tmp_path), tmp_path, name) for name in "ab")
    assert {s.run.signature for s in first}.isdisjoint(s.run.signature for s in second)


def test_unknown_goals_and_circles_are_named(tmp_path):
    with pytest.raises(UserError, match="evaluat: no such stage of this method; valid: tokenizer"):
        plan_experiment(config(tmp_path, goal="evaluat"), tmp_path, "f")
    circle = config(tmp_path)
    circle.stage.tokenizer.parents = ["tokens"]
    with pytest.raises(UserError, match="tokenizer -> tokens -> tokenizer"):
        plan_experiment(circle, tmp_path, "f", "")
