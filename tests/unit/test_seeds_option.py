"""seeds=N trains several models that the same judges ask and judge."""

from pathlib import Path

import pytest

from launch.commands import run as run_command
from launch.composition.compose import Composer
from launch.composition.overrides import expand
from launch.composition.seeds import with_seeds
from launch.composition.studies import Study
from launch.plans.graph import plan_experiment
from motiongpt.errors import UserError

JUDGES = {"evaluator", "classifier"}
COMPOSER = Composer()


def signatures(*words):
    """Stage -> signature, of an experiment whose data has the fingerprint "f"."""
    plan = plan_experiment(COMPOSER.compose(words).config, Path(), "f")
    return {stage.run.stage: stage for stage in plan}


def test_the_experiments_own_seed_is_the_first():
    assert with_seeds(["seeds=3"], expand) == ["seed=1234,1235,1236"]
    assert with_seeds(["seed=7", "downsampling=2,4", "seeds=2"], expand) == [
        "downsampling=2,4", "seed=7,8"
    ]  # fmt: skip
    assert with_seeds(["downsampling=2"], expand) == ["downsampling=2"]
    study = Study("mine", "evaluate", ["seed=5"], ["downsampling=2,4"])
    points = study.points(["seeds=2"])
    assert [point[-1] for point in points] == ["seed=5", "seed=6"] * 2


@pytest.mark.parametrize("words", [
    ["+seeds=3"], ["++seeds=3"], ["seeds=0"], ["seeds=-1"], ["seeds=many"], ["seeds="], ["seeds=2", "seeds=3"],
    ["seeds=2", "seed=1,2"],
])  # fmt: skip
def test_wrong_counts_are_one_line(words):
    with pytest.raises(UserError, match="seeds=") as caught:
        with_seeds(words, expand)
    assert "\n" not in str(caught.value)


def test_hydras_own_launchers_are_given_the_seeds(monkeypatch):
    given = []
    monkeypatch.setattr(run_command, "run_hydra", lambda *all_of_it: given.append(all_of_it))
    words = ["hydra/launcher=basic", "hydra.launcher._target_=x", "downsampling=2,4", "seed=7"]
    assert run_command.main(["seeds=2", *words]) == 0
    assert given == [([*words[:-1], "seed=7,8"], True, False, [])]


@pytest.mark.parametrize("word", ["hydra/sweeper=optuna", "hydra.sweeper.n_trials=3"])
def test_a_sweeper_would_choose_among_the_seeds(word):
    with pytest.raises(UserError, match="seeds=: a sweeper of Hydra's would look for the best"):
        run_command.main(["-m", "seeds=3", word])


def test_a_dry_run_of_seeds_trains_one_evaluator(tmp_path, capsys):
    words = ["run", "seeds=3", "debug=tiny", f"paths.root={tmp_path}", "--dry-run"]
    assert run_command.main(words[1:]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    stages = [line[0] for line in lines if len(line) > 2 and line[2] == "absent"]
    assert all(stages.count(name) == 1 for name in JUDGES)
    assert all(stages.count(name) == 3 for name in ("tokenizer", "instruct", "evaluate"))


@pytest.mark.parametrize("method", ["motiongpt", "t2m_gpt", "lookup"])
def test_all_training_seeds_share_their_judges_and_requests(method):
    one, other = (signatures(f"method={method}", f"seed={seed}") for seed in (1, 2))
    for name in JUDGES:
        assert one[name].run == other[name].run, name
    trained = {name for name, stage in one.items() if "seed" in stage.settings} - JUDGES
    trained -= {"generate", "reconstruct", "evaluate"}
    assert all(one[name].run != other[name].run for name in trained)
    # Asked and scored alike: they differ in what they build on alone.
    for name in {"generate", "reconstruct", "evaluate"} & set(one):
        assert one[name].settings == other[name].settings, name
        assert (one[name].run != other[name].run) == bool(trained), name


def test_the_judges_have_a_seed_of_their_own():
    one, other = (signatures(f"evaluation_seed={seed}") for seed in (1, 2))
    assert all(one[name].run != other[name].run for name in JUDGES)
    assert all(one[name].run == other[name].run for name in ("tokenizer", "instruct"))


def test_the_data_does_not_depend_on_either_seed():
    plain = [COMPOSER.compose([word]).config for word in ("seed=1", "seed=2", "evaluation_seed=3")]
    assert plain[0].data == plain[1].data == plain[2].data
