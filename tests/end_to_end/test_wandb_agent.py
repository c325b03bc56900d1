"""`wandb sweep` and `wandb agent` themselves, with a server that stands in: what a sweep gets."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from evaluation.replications.results import MODEL
from launch.commands.run import main as run
from launch.sweeps.agent_run import flat_name, is_under_agent
from motiongpt.errors import UserError
from tests.shared import ROOT
from tests.wandb_parts import only_part, parts
from tests.wandb_server import WandbServer

WANDB = [sys.executable, "-m", "wandb"]
TINY = ["debug=tiny", "logger=wandb", "logger.wandb.offline=false"]


def documented():
    """The yaml of launch/README.md."""
    (found,) = re.findall(
        r"```yaml\n(program.*?)```", (ROOT / "launch" / "README.md").read_text(), re.S
    )
    return yaml.safe_load(found)


def agent_variables(monkeypatch, run_id="trial1"):
    monkeypatch.setenv("WANDB_SWEEP_ID", "sweep0")
    monkeypatch.setenv("WANDB_RUN_ID", run_id)


def values(said):
    return {key: one["value"] for key, one in json.loads(said).items() if isinstance(one, dict)}


@pytest.fixture
def server(monkeypatch):
    with WandbServer() as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        for name in ("WANDB_MODE", "WANDB_DISABLED"):
            monkeypatch.delenv(name, raising=False)
        yield made


def swept(server, tmp_path, config):
    """What the agent of a sweep prints; the sweep is made by W&B's own command."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "sweep.yaml").write_text(yaml.safe_dump(config))
    made = subprocess.run(
        [*WANDB, "sweep", "sweep.yaml"], cwd=folder, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stdout + made.stderr
    (name,) = server.sweeps
    agent = [*WANDB, "agent", "--count", str(len(server.trials)), f"team/p/{name}"]
    done = subprocess.run(agent, cwd=folder, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def command_of(config, *words):
    """As documented, but of the interpreter that runs this test, and of an experiment of seconds."""
    given = config["command"]
    assert given[:3] == ["${env}", "${program}", "run"] and given[-1] == "${args_no_hyphens}"
    return ["${env}", sys.executable, "-m", "launch.cli", "run", *words, given[-1]]


def test_the_documented_sweep_is_taken_and_its_command_composes(server, tmp_path):
    config = documented()
    config["command"] = command_of(
        config, config["command"][3], f"paths.root={tmp_path}", "--dry-run"
    )
    names = list(config["parameters"])
    server.trials["trial1"] = dict(zip(names, (0.0003, 2), strict=True))
    said = swept(server, tmp_path, config)
    kept = yaml.safe_load(server.sweeps["sweep0"])
    assert kept["metric"] == config["metric"] and list(kept["parameters"]) == sorted(names)
    assert "evaluate" in said and "stage.instruct.learning_rate=0.0003" in said
    assert not server.runs, "a dry run tells nobody"


def test_the_documented_metric_is_one_that_an_evaluation_gives():
    kept = ROOT / "experiments" / "quickstart" / "results" / "motiongpt"
    results = json.loads((kept / "seed_1234" / "results.json").read_text())["results"]
    own = {f"{one['task']}/{one['metric']}" for one in results if one["row"] == MODEL}
    assert documented()["metric"]["name"] in own
    assert flat_name(f"text_to_motion/{MODEL}/fid") == "text_to_motion/fid"
    assert flat_name("text_to_motion/real/fid") == "text_to_motion/real/fid"


@pytest.mark.slow
def test_the_agents_run_gets_the_result_and_no_stage_gets_into_it(server, tmp_path):
    config = documented()
    words = [*TINY, "goal=tokens", f"paths.root={tmp_path / 'root'}"]
    config["command"] = command_of(config, *words)
    server.trials = {"trial1": {"downsampling": 2, "tokenizer.width": 16}}
    swept(server, tmp_path, config)
    (folder,) = (tmp_path / "root" / "runs" / "tokens").iterdir()
    stages = {f"{one.parent.name}-{one.name}" for one in (tmp_path / "root").glob("runs/*/*")}
    assert set(server.runs) == {"trial1", *stages} and len(stages) == 2
    assert {name for name, run in server.runs.items() if run.get("sweep")} == {"trial1"}
    assert server.runs["trial1"]["sweep"] == "sweep0"
    kept = values(server.runs["trial1"]["config"])
    assert (kept["downsampling"], kept["tokenizer.width"]) == (2, 16)
    assert kept["stage_runs"] == [f"tokens-{folder.name}"]
    metrics = json.loads((folder / "metrics.json").read_text())
    (row,) = server.history["trial1"]
    assert metrics and metrics == {name: row[name] for name in metrics}


@pytest.mark.slow
def test_a_failed_experiment_is_a_failed_run_without_numbers(tmp_path, monkeypatch):
    agent_variables(monkeypatch)
    monkeypatch.setenv("WANDB_MODE", "offline")
    words = ["debug=tiny", "logger=none", "goal=tokenizer", "tokenizer.width=0"]
    assert run([*words, f"paths.root={tmp_path}"]) == 1
    (folder,) = (tmp_path / "sweeps").iterdir()
    part = only_part(folder)
    assert part.run_id == "trial1" and part.ended == "failed" and not part.rows
    assert part.config["tokenizer.width"] == 0 and not is_under_agent()


@pytest.mark.slow
def test_of_several_training_seeds_the_agent_gets_the_means(tmp_path, monkeypatch):
    agent_variables(monkeypatch)
    monkeypatch.setenv("WANDB_MODE", "offline")
    words = ["debug=tiny", "logger=none", "goal=tokenizer", "seeds=2", f"paths.root={tmp_path}"]
    assert run(words) == 0
    found = [
        json.loads(file.read_text()) for file in tmp_path.glob("runs/tokenizer/*/metrics.json")
    ]
    (folder,) = (tmp_path / "sweeps").iterdir()
    (part,) = [one for one in parts(folder) if one.run_id == "trial1"]
    ((row),) = part.rows
    for name in found[0]:
        assert row.values[name] == pytest.approx((found[0][name] + found[1][name]) / 2)


@pytest.mark.parametrize("words", [["-m", "downsampling=2,4"], ["-m", "hydra/sweeper=optuna"]])
def test_what_is_not_one_experiment_is_refused(tmp_path: Path, monkeypatch, words):
    agent_variables(monkeypatch)
    with pytest.raises(UserError, match="wandb agent"):
        run([*words, "debug=tiny", "goal=tokenizer", f"paths.root={tmp_path}"])
    assert not (tmp_path / "runs").exists()
