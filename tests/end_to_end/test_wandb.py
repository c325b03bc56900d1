"""What W&B runs hold, read back from their own files, and from the server they are sent to."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from launch.loggers.wandb_logger import ROWS
from launch.loggers.wandb_parts import part_files, synced_mark
from tests.wandb_files import STEP, records, rows
from tests.wandb_server import WandbServer

pytestmark = pytest.mark.slow

STEPS, CHECKPOINT_EVERY, LOG_EVERY = 400, 70, 10


def command(*words):
    return [sys.executable, "-m", "launch.cli", *words]


def motiongpt(*words, **environment):
    done = subprocess.run(
        command(*words), capture_output=True, text=True, env={**os.environ, **environment}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def only_part(folder):
    (file,) = part_files(folder)
    return file


def header(file):
    return next(record.run for record in records(file) if record.HasField("run"))


def configuration(file):
    return {
        update.key: json.loads(update.value_json)
        for record in records(file)
        if record.HasField("config")
        for update in record.config.update
    }


def table(file):
    (row,) = rows(file)
    assert row["points/_type"] == "table-file"
    return json.loads((file.parent / "files" / row["points/path"]).read_text())


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    root = tmp_path_factory.mktemp("sweep")
    words = ["debug=tiny", "logger=wandb", "goal=tokens", "seed=1", f"paths.root={root}"]
    motiongpt("run", "-m", "downsampling=2,4", *words)
    return root


def test_all_runs_of_a_sweep_are_one_group(sweep):
    (name,) = [folder.name for folder in (sweep / "sweeps").iterdir()]
    files = [file for folder in sweep.glob("*/*/*") for file in part_files(folder)]
    files += part_files(sweep / "sweeps" / name)
    runs = [header(file) for file in files]
    assert {run.run_group for run in runs} == {name}
    assert sorted(run.job_type for run in runs) == ["sweep", *["tokenizer"] * 2, *["tokens"] * 2]


def test_tags_name_the_point_and_the_parents(sweep):
    points = set()
    for folder in (sweep / "runs" / "tokens").iterdir():
        run = header(only_part(folder))
        (parent,) = json.loads((folder / "config.json").read_text())["parents"].values()
        assert run.run_id == f"tokens-{folder.name}" and run.display_name == run.run_id[:-8]
        assert {"tokens", "synthetic", "seed=1", f"parent:tokenizer-{parent[:8]}"} < set(run.tags)
        points |= {tag for tag in run.tags if tag.startswith("downsampling=")}
        kept = configuration(only_part(folder))
        assert kept["parents"] == {"tokenizer": parent}
        assert kept["parent_runs"] == {"tokenizer": f"tokenizer-{parent}"}
        assert kept["signature"] == folder.name and kept["data"]["fingerprint"]
        assert "git_commit" in kept and kept["config"]["seed"] == 1
        above = header(only_part(sweep / "runs" / "tokenizer" / parent))
        assert above.run_id == kept["parent_runs"]["tokenizer"]
    assert points == {"downsampling=2", "downsampling=4"}


def test_final_metrics_are_those_of_the_run(sweep):
    for folder in (sweep / "runs").glob("*/*"):
        metrics = json.loads((folder / "metrics.json").read_text())
        last = rows(only_part(folder))[-1]
        assert metrics and all(last[f"final/{name}"] == value for name, value in metrics.items())


def test_the_table_of_the_sweep_has_its_points(sweep):
    (folder,) = (sweep / "sweeps").iterdir()
    file = only_part(folder)
    assert header(file).display_name == f"sweep-{folder.name}"
    kept = table(file)
    assert kept["columns"][:3] == ["downsampling", "stage", "signature"]
    signatures = {run.name for run in (sweep / "runs" / "tokens").iterdir()}
    assert {row[2] for row in kept["data"]} == signatures
    assert [row[:2] for row in kept["data"]] == [["2", "tokens"], ["4", "tokens"]]


def test_points_without_a_result_are_in_the_table_with_the_reason(tmp_path):
    words = ["debug=tiny", "logger=wandb", "goal=tokenizer", f"paths.root={tmp_path}"]
    sweeping = ["run", "-m", "tokenizer.width=32,0", *words]
    done = subprocess.run(command(*sweeping), capture_output=True, text=True)
    assert done.returncode == 1, done.stdout + done.stderr
    (folder,) = (tmp_path / "sweeps").iterdir()
    kept = table(only_part(folder))
    assert kept["columns"][-1] == "missing"
    good, bad = kept["data"]
    assert good[0] == "32" and good[-1] is None
    assert "tokenizer.width=0" in bad[-1] and "failed" in bad[-1]


def test_the_group_that_was_asked_for_wins(tmp_path):
    words = ["debug=tiny", "logger=wandb", "goal=tokenizer", f"paths.root={tmp_path}"]
    motiongpt("run", "-m", "downsampling=2,4", "group=my group", *words)
    for folder in (tmp_path / "runs" / "tokenizer").iterdir():
        assert header(only_part(folder)).run_group == "my group"


@pytest.fixture(scope="module")
def resumed(tmp_path_factory):
    """A run whose node was lost some steps after its first checkpoint, and that then went on."""
    root = tmp_path_factory.mktemp("resumed")
    schedule = {"steps": STEPS, "checkpoint_every": CHECKPOINT_EVERY, "validate_every": 50}
    words = ["debug=tiny", "logger=wandb", "goal=tokenizer", f"paths.root={root}"]
    words += [f"stage.tokenizer.schedule.{key}={value}" for key, value in schedule.items()]
    running = subprocess.Popen(command("run", *words), start_new_session=True)
    try:
        deadline = time.monotonic() + 120
        while last_step(root) < CHECKPOINT_EVERY + 2 * LOG_EVERY:
            assert running.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        os.killpg(running.pid, signal.SIGKILL)  # W&B's own process as well
        running.wait()
    assert list(root.glob("attempts/*/*/0001/checkpoints/last.ckpt"))
    motiongpt("run", *words)
    return root


def last_step(root: Path) -> int:
    for file in root.glob(f"attempts/*/*/*/wandb/*/{ROWS}"):
        lines = file.read_text().splitlines()[:-1]
        return json.loads(lines[-1])[STEP] if lines else 0
    return 0


def test_a_resumed_run_goes_on_under_its_id_at_its_step(resumed):
    (folder,) = (resumed / "runs" / "tokenizer").iterdir()
    first, second = part_files(folder)
    assert {header(file).run_id for file in (first, second)} == {f"tokenizer-{folder.name}"}
    assert configuration(first) == configuration(second)
    kept = rows(second)
    checkpoint = CHECKPOINT_EVERY * (kept[0][STEP] // CHECKPOINT_EVERY)
    assert checkpoint >= CHECKPOINT_EVERY and kept[0][STEP] < checkpoint + LOG_EVERY
    assert kept[0]["_step"] == kept[0][STEP]
    assert kept[-2][STEP] == STEPS - 1 and "final/val/total" in kept[-1]
    logged = [json.loads(line) for line in (first.parent / ROWS).read_text().splitlines()]
    losses = {row[STEP]: row["train/total"] for row in kept if "train/total" in row}
    again = [row for row in logged if row[STEP] in losses and "train/total" in row]
    assert again, "killed too early to have logged a step that is logged again"
    for row in again:
        assert losses[row[STEP]] == pytest.approx(row["train/total"], rel=1e-4)


def test_a_server_gets_each_step_of_a_resumed_run_once(resumed):
    (folder,) = (resumed / "runs" / "tokenizer").iterdir()
    run_id = f"tokenizer-{folder.name}"
    with WandbServer() as server:
        said = motiongpt("sync", f"paths.root={resumed}", **server.environment)
        assert f"synced {run_id} (resumed 1 times)" in said
        assert said.endswith("0 synced before\n")
        kept = server.history[run_id]
        assert [row["_step"] for row in kept] == sorted({row["_step"] for row in kept})
        trained = [row[STEP] for row in kept if "train/total" in row]
        assert trained == list(range(LOG_EVERY - 1, STEPS, LOG_EVERY))
        assert [row[STEP] for row in kept if "val/total" in row] == list(range(49, STEPS, 50))
        assert "final/val/total" in kept[-1]
        assert server.runs[run_id]["jobType"] == "tokenizer"
        assert all(synced_mark(file).exists() for file in part_files(folder))
        server.history.clear()
        again = motiongpt("sync", f"paths.root={resumed}", **server.environment)
        assert again.startswith("0 synced, ") and not server.history


def test_a_server_gets_the_table_of_a_sweep(sweep):
    (folder,) = (sweep / "sweeps").iterdir()
    with WandbServer() as server:
        said = motiongpt("sync", f"paths.root={sweep}", **server.environment)
        assert said.endswith("5 synced, 0 synced before\n")
        assert {run["groupName"] for run in server.runs.values()} == {folder.name}
        assert any(name.startswith("media/table/points") for name in server.files)
        lines = [line.split()[1].partition("-")[0] for line in said.splitlines()[:-1]]
        assert lines.index("tokenizer") < lines.index("tokens") and lines[-1] == "sweep"


@pytest.mark.parametrize("choice", ["csv", "none", "tensorboard", "wandb"])
def test_a_run_without_wandb_installed(tmp_path, choice):
    """It is not imported for the others, and missed with one line where it was asked for."""
    words = ["run", "debug=tiny", f"logger={choice}", "goal=tokenizer", f"paths.root={tmp_path}"]
    code = (
        "import sys; sys.modules['wandb'] = None\n"
        f"from launch.cli import main; sys.exit(main({words!r}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    said = [line for line in done.stdout.splitlines() if "logger wandb" in line]
    assert len(said) == (choice == "wandb")
    (folder,) = (tmp_path / "runs" / "tokenizer").iterdir()
    assert (folder / choice).is_dir() == (choice in ("csv", "tensorboard"))
