import json
import os
import signal
from pathlib import Path

import pytest
import yaml
from omegaconf import OmegaConf

from launch import cli, hydra_jobs
from launch.commands import run
from launch.composition import datasets
from launch.composition.compose import compose_config, plain_containers
from launch.composition.overrides import CONF, parse_overrides
from launch.hydra_app import is_for_hydra, run_hydra
from launch.hydra_jobs import BeforeTheFirst, EndOfHydra, written_for_hydra
from launch.jobs.requeue import requeued_when_preempted
from launch.plans.graph import plan_experiment
from launch.plans.objective import objective_run, objective_value
from launch.plans.planning import plan_point
from launch.runs.ledger import Run
from launch.sweeps.missing import Missing
from motiongpt.errors import UserError

SILENT = ["hydra/job_logging=none", "hydra/hydra_logging=none"]


@pytest.mark.parametrize(
    ("words", "hydras"),
    [
        (["hydra/launcher=submitit_slurm"], True),
        (["seed=1", "hydra.sweeper.n_trials=3"], True),
        (["+hydra.sweeper.params={seed: '1,2'}"], True),
        (["~hydra.callbacks"], True),
        (["seed=1", "launcher=slurm", "group=hydra"], False),
        (["hydra.searchpath=[configs]", "seed=1"], False),
        ([], False),
    ],
)
def test_words_for_hydra_itself_are_told_from_ours(words, hydras):
    assert is_for_hydra(words) is hydras


def test_the_command_hands_them_over(monkeypatch):
    given = []
    monkeypatch.setattr(run, "run_hydra", lambda *all_of_it: given.append(all_of_it))
    words = ["hydra/sweeper=basic", "downsampling=1,2"]
    assert run.main(["-m", *words]) == 0 and given == [(words, True, False, [])]
    assert run.main(["--dry-run", "--again", "tokenizer", *words]) == 0
    assert given[1] == (words, False, True, ["tokenizer"])


def test_a_configuration_is_shown_of_one_experiment_or_of_each(capfd):
    words = ["--cfg", "job", "--package", "downsampling"]
    assert run.main([*words, "downsampling=8"]) == 0
    assert capfd.readouterr().out == "# @package downsampling\nframes_per_token: 8\n"
    assert run.main(["-m", *words, "downsampling=1,2"]) == 0
    shown = capfd.readouterr().out
    assert [word for word in shown.splitlines() if word.startswith(("---", "frames"))] == [
        *("--- # downsampling=1", "frames_per_token: 1"),
        *("--- # downsampling=2", "frames_per_token: 2"),
    ]
    with pytest.raises(UserError, match="did you mean seed"):
        run.main([*words, "sede=1"])


@pytest.mark.parametrize("method", ["mdm", "motiongpt"])
def test_a_configuration_is_shown_with_its_references_followed(capfd, method):
    words = ["--cfg", "job", "--resolve", f"method={method}"]
    assert run.main(words) == 0
    shown = yaml.safe_load(capfd.readouterr().out)
    composed = plain_containers(compose_config(words[-1:]))
    assert shown["choices"]["method"] == method
    assert shown["method"]["facts"] == composed["method"]["facts"]


def test_how_a_configuration_is_made_is_shown(capfd, tmp_path):
    assert run.main(["--info", "searchpath", "--config-dir", str(tmp_path), "seed=1"]) == 0
    assert f"file://{tmp_path}" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        ("motiongpt ru", ["run"]),
        ("motiongpt run -m --dry-run data=k", ["data=kit"]),
        ("motiongpt run data=kit downsampl", ["downsampling="]),
    ],
)
def test_a_shell_completes_commands_and_overrides(line, offered, monkeypatch, capfd):
    monkeypatch.setenv("COMP_LINE", line)
    assert cli.main(["-sc", "query=bash"]) == 0
    assert set(offered) <= set(capfd.readouterr().out.split())
    assert cli.main(["--shell-completion", "install=bash"]) == 0
    assert "complete -o nospace" in capfd.readouterr().out


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("downsampling=4", "downsampling='4'"),
        ("downsampling=1,2", "downsampling='1','2'"),
        ("downsampling=choice(1,2)", "downsampling='1','2'"),
        ("downsampling=range(1,3)", "downsampling='1','2'"),
        ("downsampling=glob(*)", "downsampling='1','2','4','8'"),
        ("backbone=t5_tiny,gpt2_tiny", "backbone=t5_tiny,gpt2_tiny"),
        ("seed=1,2", "seed=1,2"),
        ("stage.tokenizer.learning_rate=interval(1e-4,1e-3)", None),
        ("~shown", None),
    ],
)
def test_choices_that_read_as_numbers_are_quoted(written, wanted):
    (override,) = parse_overrides([written])
    assert written_for_hydra(override) == (wanted or written)
    (again,) = parse_overrides([wanted or written])
    assert again.is_sweep_override() == override.is_sweep_override()


@pytest.fixture
def carried_out(monkeypatch):
    """Experiments that came to be carried out, without the work; their runs count as finished."""
    given = []

    def carry_out(experiments, dry_run, wait):
        assert wait
        given.append(experiments)

    monkeypatch.setattr(hydra_jobs, "carry_out", carry_out)
    monkeypatch.setattr(hydra_jobs, "missing_of", lambda sweep, point, jobs: None)
    monkeypatch.setattr(datasets, "ensure_store", lambda config: (Path("data"), "f"))
    return given


@pytest.mark.parametrize(
    "launcher", [[], pytest.param(["hydra/launcher=basic"], marks=pytest.mark.slow)]
)
def test_an_experiment_of_hydras_is_the_same_experiment(
    carried_out, launcher, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    words = ["debug=tiny", f"paths.root={tmp_path}", "goal=[tokens,evaluate]", "backbone=gpt2_tiny"]
    run_hydra([*words, "downsampling=2,8", *launcher, *SILENT], multirun=True)
    run_hydra([*words, "downsampling=8", *launcher, *SILENT], multirun=False)
    assert len(carried_out) == (3 if launcher else 2), "a batch is one sweep, a job of Hydra's one"
    expected = [plan_point([*words, f"downsampling={frames}"]) for frames in (2, 8, 8)]
    found = [plan for one in carried_out for plan in one.plans]
    for one, wanted in zip(found, expected, strict=True):
        assert [stage.run for stage in one] == [stage.run for stage in wanted]
        assert [stage.settings for stage in one] == [stage.settings for stage in wanted]
        assert one[0].needed_for == wanted[0].needed_for, "words as they were written"
    assert [one.name for one in tmp_path.iterdir()] == ["hydra"], "no outputs, no multirun"


def test_the_command_is_kept_for_resume(carried_out, tmp_path):
    words = [f"paths.root={tmp_path}", "goal=tokenizer", "seed=1,2", "hydra.sweep.subdir='a b'"]
    words += ["group='~ %41 ${goal} ${seed}'"]  # references, and what reads as an escape
    run_hydra([*words, *SILENT], multirun=True)
    assert carried_out[0].sweep.words == ["run", "-m", *words, *SILENT]


def test_a_dry_run_of_a_sweeper_shows_its_first_points_and_writes_nothing(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    words = [f"paths.root={tmp_path / 'root'}", "debug=tiny", "goal=tokenizer", "seed=1,2"]
    run_hydra([*words, "hydra/sweeper=basic", *SILENT], multirun=True, dry_run=True)
    assert "2 stages: 2 to run" in capsys.readouterr().out
    assert not list(tmp_path.iterdir())


def test_a_batch_of_a_sweeper_goes_through_our_launcher(tmp_path, monkeypatch, capsys):
    """Trained for real, with what the sweeper is told: the metric, or why there is none."""
    words = [f"paths.root={tmp_path}", "debug=tiny", "goal=tokenizer", *SILENT]
    steps = "stage.tokenizer.schedule.steps=2,3"
    metric = "objective=tokenizer/val/mpjpe_mm"
    given, former = [], hydra_jobs.run_batch
    monkeypatch.setattr(
        hydra_jobs, "run_batch", lambda *batch: given.extend(former(*batch)) or given
    )
    run_hydra([*words, steps, metric, "launcher=debug"], multirun=True)
    assert [one.status.name for one in given] == ["COMPLETED"] * 2
    assert all(one.return_value > 0 for one in given)
    assert "2 of 2 experiments" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "multirun", "said"),
    [
        (["hydra/launcher=nosuch"], True, "no such choice; installed: basic.*sweepers"),
        (["hydra.nosuch=1"], False, "Hydra has no such option"),
        (["hydra/launcher=basic", "sede=1"], False, "did you mean seed"),
        (["hydra/launcher=basic", "seed=1,2"], False, "add -m"),
        (["hydra/launcher=basic", "downsampling=3,4"], True, "valid: 1, 2, 4, 8"),
        (["hydra/launcher=basic", "downsampling=interval(1,4)"], True, "choice"),
        (["hydra/launcher=basic", "launcher=slurm"], True, "leave one of the two away"),
        (["hydra/launcher=basic", "objective=nothing/x"], False, "no stage of this experiment"),
        (["hydra/launcher=basic", "objective=tokenizer/x"], False, "has no such metric"),
    ],
)
def test_what_hydra_cannot_do_fits_on_one_line(carried_out, tmp_path, words, multirun, said):
    with pytest.raises(UserError, match=said) as caught:
        run_hydra([f"paths.root={tmp_path}", "goal=tokenizer", *SILENT, *words], multirun)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("multirun", [True, False])
def test_a_stage_that_fails_fails_the_experiment(carried_out, monkeypatch, tmp_path, multirun):
    failed = Missing("seed=3", "tokenizer", "0" * 16, "failed: no memory", ())
    monkeypatch.setattr(hydra_jobs, "missing_of", lambda sweep, point, jobs: failed)
    with pytest.raises(UserError, match=r"seed=3: tokenizer 0+ failed: no memory"):
        run_hydra([f"paths.root={tmp_path}", "goal=tokenizer", *SILENT, "seed=3"], multirun)


def hydra_config(sweeper="basic", objective=None, launcher="debug", params=None, task=()):
    choices = {"launcher": launcher, "hydra/sweeper": sweeper, "hydra/launcher": "basic"}
    return OmegaConf.create(
        {
            "objective": objective,
            "paths": {"root": "outputs"},
            "hydra": {
                "runtime": {"choices": choices},
                "sweeper": {"params": params},
                "overrides": {"task": list(task)},
            },
        }
    )


def test_optuna_needs_an_objective(monkeypatch):
    asked = []
    monkeypatch.setattr(hydra_jobs, "ensure_stores", asked.append)
    with pytest.raises(EndOfHydra) as caught:
        BeforeTheFirst().on_multirun_start(hydra_config("optuna"))
    assert "objective=tokenizer/val/mpjpe_mm" in str(caught.value.error) and not asked
    BeforeTheFirst().on_multirun_start(hydra_config("optuna", "tokenizer/x"))
    assert len(asked) == 1, "data that all have in common is prepared once"
    BeforeTheFirst().on_multirun_start(hydra_config(task=["data=a,b", "seed=1"]))
    assert len(asked) == 1


def test_a_search_space_of_choices_is_quoted_wherever_it_is_written(monkeypatch):
    monkeypatch.setattr(hydra_jobs, "ensure_stores", lambda config: None)
    config = hydra_config(params={"downsampling": "choice(1,2)", "seed": "range(1,9)"})
    BeforeTheFirst().on_multirun_start(config)
    assert config.hydra.sweeper.params == {"downsampling": "'1','2'", "seed": "range(1,9)"}
    with pytest.raises(EndOfHydra, match="interval"):
        BeforeTheFirst().on_multirun_start(hydra_config(params={"downsampling": "interval(1,2)"}))


def test_the_objective_is_a_metric_of_a_stage(tmp_path):
    config = OmegaConf.create(
        {
            "paths": {"root": str(tmp_path)},
            "goal": "tokens",
            "stage": {"tokenizer": {"parents": []}, "tokens": {"parents": ["tokenizer"]}},
        }
    )
    plan = plan_experiment(config, tmp_path, "f")
    assert objective_run(plan, None) is None
    run_of_it = objective_run(plan, "tokenizer/val/mpjpe_mm")
    assert run_of_it == plan[0].run
    run_of_it.folder.mkdir(parents=True)
    (run_of_it.folder / "metrics.json").write_text(json.dumps({"val/mpjpe_mm": 3}))
    value = objective_value(run_of_it, "tokenizer/val/mpjpe_mm")
    assert value == 3.0 and isinstance(value, float)
    with pytest.raises(UserError, match="valid: tokenizer/val/mpjpe_mm"):
        objective_value(run_of_it, "tokenizer/loss")
    with pytest.raises(UserError, match="valid: none"):
        objective_value(Run(tmp_path, "tokens", "x"), "tokens/loss")


def test_the_objective_changes_no_signature(carried_out):
    words = ["goal=evaluate", "debug=tiny"]
    plain, judged = plan_point(words), plan_point([*words, "objective=evaluate/x"])
    assert [stage.run for stage in plain] == [stage.run for stage in judged]
    assert "objective" not in (CONF / "stage" / "evaluate.yaml").read_text()


@pytest.mark.parametrize(("number", "queued"), [(signal.SIGUSR2, True), (signal.SIGTERM, False)])
def test_submitit_requeues_after_the_work_has_stopped_in_good_order(number, queued):
    order = []

    class Requeued(Exception):
        pass

    def ahead_of_time(number, frame):
        order.append("requeued")
        raise Requeued

    def obey(number, frame):
        order.append("checkpoint")
        raise KeyboardInterrupt

    former = {one: signal.getsignal(one) for one in (signal.SIGUSR2, signal.SIGTERM)}
    signal.signal(signal.SIGUSR2, ahead_of_time)
    try:
        with pytest.raises(Requeued if queued else KeyboardInterrupt), requeued_when_preempted():
            for one in former:  # as `execute` does
                signal.signal(one, obey)
            os.kill(os.getpid(), number)
            raise AssertionError("the signal has no effect")
    finally:
        for one, handler in former.items():
            signal.signal(one, handler)
    assert order == (["checkpoint", "requeued"] if queued else ["checkpoint"])
    assert signal.set_wakeup_fd(-1) == -1


def test_outside_of_a_job_nobody_is_asked():
    assert not callable(signal.getsignal(signal.SIGUSR2))
    with pytest.raises(KeyboardInterrupt), requeued_when_preempted():
        raise KeyboardInterrupt
