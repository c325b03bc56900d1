"""What an offline W&B run holds, read back from its own file."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


def records(path):
    from wandb.proto import wandb_internal_pb2
    from wandb.sdk.internal.datastore import DataStore

    store = DataStore()
    store.open_for_scan(str(path))
    while (data := store.scan_data()) is not None:
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        yield record


def test_group_tags_config_and_final_metrics_are_there(tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "launch.cli",
            "run",
            "debug=tiny",
            "logger=wandb",
            "group=my group",
            "goal=tokens",
            f"paths.root={tmp_path}",
        ],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for stage in ("tokenizer", "tokens"):
        (folder,) = (tmp_path / "runs" / stage).iterdir()
        (file,) = folder.glob("wandb/offline-run-*/*.wandb")
        kept = list(records(file))
        run = next(record.run for record in kept if record.HasField("run"))
        assert run.run_group == "my group" and run.job_type == stage
        assert run.run_id == f"{stage}-{folder.name}" and stage in run.tags
        config = {
            update.key: json.loads(update.value_json)
            for record in kept
            if record.HasField("config")
            for update in record.config.update
        }
        config |= {update.key: json.loads(update.value_json) for update in run.config.update}
        said = json.dumps(config)
        assert folder.name in said and "fingerprint" in said and "git_commit" in said
        history = {
            item.key or "/".join(item.nested_key)
            for record in kept
            if record.HasField("history")
            for item in record.history.item
        }
        assert any(key.startswith("final/") for key in history), sorted(history)
