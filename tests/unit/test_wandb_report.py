"""The report of a sweep on W&B's server: saved by W&B's library, and what it then shows."""

import json
from dataclasses import replace

import pytest
import wandb

from launch.commands.report import main as report
from launch.runs.ledger import Run
from launch.sweeps.record import make_sweep
from motiongpt.errors import UserError
from motiongpt.files import write_json
from tests.unit.plans import planned
from tests.wandb_parts import write_part
from tests.wandb_server import WandbServer

LOGGED = {
    "wandb": {
        "_target_": "launch.loggers.wandb_logger.WandbStageLogger",
        "project": "p",
        "id": "<run_id>",
        "save_dir": "<folder>",
        "offline": True,
    }
}


@pytest.fixture
def sweep(tmp_path, monkeypatch):
    for name in ("WANDB_MODE", "WANDB_DISABLED", "WANDB_ENTITY"):
        monkeypatch.delenv(name, raising=False)
    plans, points = [], []
    for rate in (2, 4):
        run = Run(tmp_path, "tokenizer", f"e{rate}")
        metrics = {"text_to_motion/model/fid": rate, "motion_to_text/model/bleu4": 0.5, "real/x": 1}
        write_json(run.folder / "metrics.json", metrics)
        write_json(run.folder / "status.json", {"state": "finished"})
        write_part(run.folder, f"tokenizer-e{rate}", 1000, [9, 19])
        plans.append([planned(tmp_path, "tokenizer", f"e{rate}")])
        points.append([f"stage.tokenizer.downsampling={rate}"])
    made = make_sweep(tmp_path, ["run", "-m", "stage.tokenizer.downsampling=2,4"], points, plans)
    shown = ["text_to_motion/model/fid"]
    made = replace(made, config={**made.config, "logger": LOGGED, "shown": shown})
    made.write()
    return made


@pytest.fixture
def server(monkeypatch):
    pytest.importorskip("wandb_workspaces", reason="no wandb-workspaces: pip install '.[reports]'")
    with WandbServer() as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        wandb.teardown()  # it reads the variables when it is first used in a process
        yield made
    wandb.teardown()


def blocks(saved):
    return [one for one in json.loads(saved["spec"])["blocks"] if one["type"] == "panel-grid"]


def panels(block):
    return block["metadata"]["panelBankSectionConfig"]["panels"]


def test_the_report_shows_numbers_against_options_films_and_the_table(
    sweep, server, capsys, monkeypatch
):
    monkeypatch.setattr("launch.sweeps.wandb_report.curves_of", lambda run: {"val/loss": []})
    report([sweep.name, "--wandb", f"paths.root={sweep.root}"])
    (saved,) = server.reports
    assert saved["displayName"] == f"sweep {sweep.name}" and saved["projectName"] == "p"
    assert f"sweep-{sweep.name}--VmlldzoxMjM" in capsys.readouterr().out.splitlines()[-1]
    results, media, training, table = blocks(saved)
    kinds = {one["viewType"]: one["config"] for one in panels(results)}
    coordinates = [one["accessor"] for one in kinds["Parallel Coordinates Plot"]["columns"]]
    assert coordinates == ["config:downsampling.value", "summary:final/text_to_motion/model/fid"]
    scatter = kinds["Scatter Plot"]
    assert scatter["xAxis"] == coordinates[0] and scatter["yAxis"] == coordinates[1]
    assert kinds["Parameter Importance"]["targetKey"] == "final/text_to_motion/model/fid"
    assert panels(media)[0]["config"]["mediaKeys"] == ["text_to_motion/motions"]
    assert "motion_to_text/sentences" in json.dumps(panels(media)[1])
    assert panels(training)[0]["config"]["metrics"] == ["val/loss"]
    assert '"points"' in json.dumps(panels(table))
    for block, kind in ((results, "tokenizer"), (training, "tokenizer"), (table, "sweep")):
        (runs,) = block["metadata"]["runSets"]
        asked = json.dumps(runs["filters"])
        assert f'"{kind}"' in asked and f'"{sweep.group}"' in asked, asked


def test_a_sweep_that_is_not_logged_to_wandb_has_no_report(sweep):
    replace(sweep, config={**sweep.config, "logger": {}}).write()
    with pytest.raises(UserError, match="not logged to W&B"):
        report([sweep.name, "--wandb", f"paths.root={sweep.root}"])


def test_offline_there_is_no_report(sweep, monkeypatch):
    monkeypatch.setenv("WANDB_MODE", "offline")
    with pytest.raises(UserError, match="WANDB_MODE"):
        report([sweep.name, "--wandb", f"paths.root={sweep.root}"])
