"""Hydra's own launchers and sweepers on a handful of clips."""

import json
import os
import subprocess
import sys

import pytest
import yaml

from launch.runs.ledger import all_runs

pytestmark = pytest.mark.slow
COMMAND = [sys.executable, "-m", "launch.cli", "run", "-m", "debug=tiny", "logger=none"]


def run(root, *overrides, check=True):
    done = subprocess.run(
        [*COMMAND, f"paths.root={root}", *overrides],
        cwd=root,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def runs(root, stage):
    return [one for one in all_runs(root) if one.stage == stage]


@pytest.mark.long
def test_optuna_finds_the_best_of_its_trials_and_goes_on_with_a_study(tmp_path):
    pytest.importorskip("optuna")
    words = [
        "hydra/sweeper=optuna",
        "goal=tokenizer",
        "objective=tokenizer/val/mpjpe_mm",
        "hydra.sweeper.study_name=study",
        f"hydra.sweeper.storage=sqlite:///{tmp_path}/study.db",
        "downsampling=choice(2,4)",
        "stage.tokenizer.learning_rate=interval(1e-4,1e-3)",
    ]
    run(tmp_path, *words, "hydra.sweeper.n_trials=2", "hydra.sweeper.sampler.seed=1")
    run(tmp_path, *words, "hydra.sweeper.n_trials=1", "hydra.sweeper.sampler.seed=2")
    tried = runs(tmp_path, "tokenizer")
    assert len(tried) == 3 and all(one.state == "finished" for one in tried)
    by_value = {one.metrics["val/mpjpe_mm"]: one for one in tried}
    last = max(tmp_path.glob("hydra/*/optimization_results.yaml"))
    found = yaml.safe_load(last.read_text())
    assert found["best_value"] == pytest.approx(min(by_value))
    config = json.loads((by_value[min(by_value)].folder / "config.json").read_text())
    rate = found["best_params"]["stage.tokenizer.learning_rate"]
    assert config["settings"]["learning_rate"] == rate
    assert config["config"]["choices"]["downsampling"] in found["best_params"]["downsampling"]
    assert {one.name for one in tmp_path.iterdir()} >= {"hydra", "runs", "data"}
    assert not {one.name for one in tmp_path.iterdir()} & {"multirun", "outputs"}


def test_jobs_of_submitit_share_the_stages_that_do_not_differ(tmp_path):
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
    words = ["hydra/launcher=submitit_local", "goal=reconstruct"]
    run(tmp_path, *words, "protocol.clips=3,4")
    assert len(runs(tmp_path, "tokenizer")) == 1 and len(runs(tmp_path, "reconstruct")) == 2
    assert all(one.state == "finished" for one in all_runs(tmp_path))
    assert not runs(tmp_path, "tokenizer")[0].status["attempts"], "trained once"
    logs = [log.read_text() for log in tmp_path.glob("hydra/*/.submitit/*/*_log.out")]
    assert len(logs) == 2 and sum("tokenizer step" in log for log in logs) == 1


def test_a_job_that_fails_fails_the_command(tmp_path):
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
    words = ["hydra/launcher=submitit_local", "goal=tokenizer", "stage.tokenizer.window=1,64"]
    done = run(tmp_path, *words, check=False)
    assert done.returncode == 2 and "window is 1 frames, less than one token" in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(one.state for one in all_runs(tmp_path)) == ["failed", "finished"]
