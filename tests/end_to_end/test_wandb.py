"""What W&B runs hold: as they are kept until they are sent, and on the server."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from launch.loggers.wandb_rows import joined_rows
from tests.command import motiongpt
from tests.wandb_parts import STEP, only_part, parts
from tests.wandb_server import WandbServer

pytestmark = pytest.mark.slow

STEPS, CHECKPOINT_EVERY, LOG_EVERY = 400, 70, 10


def command(*words):
    return [sys.executable, "-m", "launch.cli", *words]


def without_failing(*words, **environment):
    done = motiongpt(*words, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def rows(folder):
    return list(joined_rows(parts(folder)).values())


def table(folder):
    (row,) = rows(folder)
    assert row["points"]["_type"] == "table"
    return row["points"]


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    root = tmp_path_factory.mktemp("sweep")
    words = ["debug=tiny", "logger=wandb", "goal=tokens", "seed=1", f"paths.root={root}"]
    without_failing("run", "-m", "downsampling=2,4", *words)
    return root


def test_all_runs_of_a_sweep_are_one_group(sweep):
    (name,) = [folder.name for folder in (sweep / "sweeps").iterdir()]
    runs = [part.run for folder in sweep.glob("*/*/*") for part in parts(folder)]
    runs += [part.run for part in parts(sweep / "sweeps" / name)]
    assert {run["group"] for run in runs} == {name}
    assert sorted(run["job_type"] for run in runs) == ["sweep", *["tokenizer"] * 2, *["tokens"] * 2]


def test_a_run_says_what_it_is_and_what_it_builds_on(sweep):
    swept = set()
    for folder in (sweep / "runs" / "tokens").iterdir():
        run, kept = only_part(folder).run, only_part(folder).config
        (parent,) = json.loads((folder / "config.json").read_text())["parents"].values()
        assert run["id"] == f"tokens-{folder.name}"
        assert run["name"] == f"tokens downsampling={kept['downsampling']} debug=tiny seed=1"
        assert run["tags"] == ["tokens", "motiongpt", "synthetic"]
        swept.add(kept["downsampling"])
        assert kept["parents"] == {"tokenizer": parent}
        assert kept["parent_runs"] == {"tokenizer": f"tokenizer-{parent}"}
        assert kept["signature"] == folder.name and kept["data"]["fingerprint"]
        assert "git_commit" in kept and kept["config"]["seed"] == 1
        above = only_part(sweep / "runs" / "tokenizer" / parent)
        assert above.run_id == kept["parent_runs"]["tokenizer"]
    assert swept == {2, 4}


def test_final_metrics_are_those_of_the_run(sweep):
    for folder in (sweep / "runs").glob("*/*"):
        metrics = json.loads((folder / "metrics.json").read_text())
        last = rows(folder)[-1]
        assert metrics and all(last[f"final/{name}"] == value for name, value in metrics.items())


def test_the_table_of_the_sweep_has_its_points(sweep):
    (folder,) = (sweep / "sweeps").iterdir()
    assert only_part(folder).run["name"] == f"sweep-{folder.name}"
    kept = table(folder)
    assert kept["columns"][:3] == ["downsampling", "stage", "signature"]
    signatures = {run.name for run in (sweep / "runs" / "tokens").iterdir()}
    assert {row[2] for row in kept["data"]} == signatures
    assert [row[:2] for row in kept["data"]] == [["2", "tokens"], ["4", "tokens"]]


def test_points_without_a_result_are_in_the_table_with_the_reason(tmp_path):
    words = ["debug=tiny", "logger=wandb", "goal=tokenizer", f"paths.root={tmp_path}"]
    sweeping = ["run", "-m", "tokenizer.width=32,0", *words]
    done = motiongpt(*sweeping)
    assert done.returncode == 1, done.stdout + done.stderr
    (folder,) = (tmp_path / "sweeps").iterdir()
    kept = table(folder)
    assert kept["columns"][-1] == "missing"
    good, bad = kept["data"]
    assert good[0] == "32" and good[-1] is None
    assert "tokenizer.width=0" in bad[-1] and "failed" in bad[-1]


def test_the_group_that_was_asked_for_wins(tmp_path):
    words = ["debug=tiny", "logger=wandb", "goal=tokenizer", f"paths.root={tmp_path}"]
    without_failing("run", "-m", "downsampling=2,4", "group=my group", *words)
    for folder in (tmp_path / "runs" / "tokenizer").iterdir():
        assert only_part(folder).run["group"] == "my group"


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
    without_failing("run", *words)
    return root


def last_step(root: Path) -> int:
    for folder in root.glob("attempts/*/*/*"):
        steps = [row.step or 0 for part in parts(folder) if part for row in part.rows]
        return max(steps, default=0)
    return 0


def test_a_resumed_run_goes_on_under_its_id_at_its_step(resumed):
    (folder,) = (resumed / "runs" / "tokenizer").iterdir()
    first, second = parts(folder)
    assert {first.run_id, second.run_id} == {f"tokenizer-{folder.name}"}
    assert first.config == second.config
    begin = second.rows[0].step
    checkpoint = CHECKPOINT_EVERY * (begin // CHECKPOINT_EVERY)
    assert checkpoint >= CHECKPOINT_EVERY and begin < checkpoint + LOG_EVERY
    kept = joined_rows([second])
    *_, last, final = kept.items()
    assert last[0] == last[1][STEP] == STEPS - 1 and "final/val/total" in final[1]
    losses = {step: row["train/total"] for step, row in kept.items() if "train/total" in row}
    again = [row for row in first.rows if row.step in losses and "train/total" in row.values]
    assert again, "killed too early to have logged a step that is logged again"
    for row in again:
        assert losses[row.step] == pytest.approx(row.values["train/total"], rel=1e-4)


def test_a_server_gets_each_step_of_a_resumed_run_once(resumed):
    (folder,) = (resumed / "runs" / "tokenizer").iterdir()
    run_id = f"tokenizer-{folder.name}"
    with WandbServer() as server:
        said = without_failing("sync", f"paths.root={resumed}", **server.environment)
        assert f"synced {run_id} (resumed 1 times)" in said
        assert said.endswith("0 synced before\n")
        kept = server.history[run_id]
        assert [row["_step"] for row in kept] == sorted({row["_step"] for row in kept})
        trained = [row[STEP] for row in kept if "train/total" in row]
        assert trained == list(range(LOG_EVERY - 1, STEPS, LOG_EVERY))
        assert [row[STEP] for row in kept if "val/total" in row] == list(range(49, STEPS, 50))
        assert "final/val/total" in kept[-1]
        assert server.runs[run_id]["jobType"] == "tokenizer"
        assert all(part.is_sent for part in parts(folder))
        server.history.clear()
        again = without_failing("sync", f"paths.root={resumed}", **server.environment)
        assert again.startswith("0 synced, ") and not server.history


def test_a_server_gets_the_table_of_a_sweep(sweep):
    (folder,) = (sweep / "sweeps").iterdir()
    with WandbServer() as server:
        said = without_failing("sync", f"paths.root={sweep}", **server.environment)
        assert said.endswith("5 synced, 0 synced before\n")
        assert {run["groupName"] for run in server.runs.values()} == {folder.name}
        assert any(name.startswith("media/table/points") for name in server.files)
        lines = [line.split()[1].partition("-")[0] for line in said.splitlines()[:-1]]
        assert lines.index("tokenizer") < lines.index("tokens") and lines[-1] == "sweep"


@pytest.mark.parametrize(
    "choice",
    [
        "wandb",
        *(pytest.param(one, marks=pytest.mark.long) for one in ("csv", "none", "tensorboard")),
    ],
)
def test_a_run_without_wandb_installed(tmp_path, choice):
    """It is not imported to log offline; what lies there is sent where it is installed."""
    words = ["debug=tiny", f"logger={choice}", "goal=tokenizer", f"paths.root={tmp_path}"]
    code = (
        "import sys; sys.modules['wandb'] = None\n"
        f"from launch.cli import main; sys.exit(main(sys.argv[1:] + {words[-1:]!r}))"
    )
    without = [sys.executable, "-c", code]
    done = subprocess.run([*without, "run", *words[:-1]], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "logger wandb" not in done.stdout
    (folder,) = (tmp_path / "runs" / "tokenizer").iterdir()
    assert (folder / choice).is_dir() == (choice != "none")
    done = subprocess.run([*without, "sync"], capture_output=True, text=True)
    assert done.returncode == (2 if choice == "wandb" else 0)
    assert ("nothing was sent" in done.stderr) == (choice == "wandb")
