"""What W&B's own files hold of an offline sweep: groups, points, parents, final metrics, table."""

import json
import subprocess
import sys

import pytest

from launch.runs.ledger import all_runs
from tests.end_to_end.test_wandb import records

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    place = tmp_path_factory.mktemp("sweep")
    words = ["-m", "debug=tiny", "logger=wandb", "downsampling=2,4", "goal=tokens"]
    command = [sys.executable, "-m", "launch.cli", "run", *words, f"paths.root={place}"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return place


def wandb_run(folder):
    """The run record, the configuration and the history rows of the one file in `folder`."""
    (file,) = folder.glob("wandb/offline-run-*/*.wandb")
    kept = list(records(file))
    run = next(record.run for record in kept if record.HasField("run"))
    updates = [u for record in kept if record.HasField("config") for u in record.config.update]
    config = {
        update.key: json.loads(update.value_json) for update in [*run.config.update, *updates]
    }
    rows = [
        {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in row.item}
        for row in (record.history for record in kept if record.HasField("history"))
    ]
    return run, config, rows


def test_every_run_of_a_sweep_is_in_its_group_with_its_point_and_its_parents(root):
    (sweep,) = root.glob("sweeps/*/sweep.json")
    runs = all_runs(root)
    assert sorted(run.stage for run in runs) == ["tokenizer", "tokenizer", "tokens", "tokens"]
    tokenizers = {run.signature for run in runs if run.stage == "tokenizer"}
    rates = set()
    for run in runs:
        logged, config, _ = wandb_run(run.folder)
        assert logged.run_group == sweep.parent.name and logged.job_type == run.stage
        assert logged.run_id == f"{run.stage}-{run.signature}"
        rates |= {tag for tag in logged.tags if tag.startswith("downsampling=")}
        if run.stage == "tokens":
            parent = config["parents"]["tokenizer"]
            assert parent in tokenizers and f"parent:tokenizer-{parent[:8]}" in logged.tags
            assert config["parent_runs"] == {"tokenizer": f"tokenizer-{parent}"}
    assert rates == {"downsampling=2", "downsampling=4"}


def test_the_final_metrics_are_the_ledgers(root):
    for run in all_runs(root):
        _, _, rows = wandb_run(run.folder)
        final = {
            key.removeprefix("final/"): value
            for row in rows
            for key, value in row.items()
            if key.startswith("final/")
        }
        assert final == pytest.approx(run.metrics)


def test_the_sweep_has_a_table_of_its_points(root):
    (folder,) = root.glob("sweeps/*")
    logged, _, _ = wandb_run(folder)
    assert logged.job_type == "sweep" and logged.run_group == folder.name
    (file,) = folder.glob("wandb/offline-run-*/files/media/table/*.table.json")
    table = json.loads(file.read_text())
    place = table["columns"].index("downsampling")
    assert {row[place] for row in table["data"]} == {"2", "4"} and len(table["data"]) == 2
