"""Logging to W&B's server while it runs, and later: each step once, whatever broke off between."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from launch.cli import main
from launch.loggers.wandb_rows import part_files, read_part
from launch.runs.ledger import CONFIG, STATUS, Run
from launch.sweeps.wandb_runs import find_unsent_runs, send
from motiongpt.files import write_json
from tests.wandb_parts import STEP, parts, write_part
from tests.wandb_server import WandbServer

pytestmark = pytest.mark.slow

RUN = "tokenizer-" + "1" * 16
# What a process logs of a training from one step to another, streaming; unless it "ends", it is
# killed with W&B's own process, as with its node, when the server has some of the steps.
PROCESS = f"""
import os, psutil, signal, sys, time
from launch.loggers.wandb_logger import WandbStageLogger
folder, first, last, ends = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), len(sys.argv) > 4
soon = {{"x_file_stream_transmit_interval": 0.1}}
logger = WandbStageLogger(False, folder, soon, id={RUN!r}, project="p", name="n", resume="allow")
logger.log_hyperparams({{"seed": 1}})
for step in range(first, last):
    logger.log_metrics({{"train": step / 2}}, step)
    while step == 4 and not os.path.exists(folder + "/go"):
        time.sleep(0.05)
    if step % 3 == 2:
        logger.log_metrics({{"val": float(step)}}, step)
if not ends:
    for child in psutil.Process().children(recursive=True):
        child.kill()
    os.kill(os.getpid(), signal.SIGKILL)
logger.log_metrics({{"final/val": 1.0}})
logger.end("success")
"""


@pytest.fixture
def server(monkeypatch):
    with WandbServer() as made:
        for name, value in made.environment.items():
            monkeypatch.setenv(name, value)
        for name in ("WANDB_MODE", "WANDB_DISABLED"):
            monkeypatch.delenv(name, raising=False)
        yield made


@pytest.fixture
def folder(tmp_path):
    run = Run(tmp_path, "tokenizer", "1" * 16)
    write_json(run.folder / STATUS, {"state": "finished"})
    write_json(run.folder / CONFIG, {})
    return run.folder


def steps(server):
    return [row["_step"] for row in server.history[RUN]]


def synced(root):
    return [send(run, 120) for run in find_unsent_runs(root).runs]


def test_a_run_that_was_sent_goes_on_where_its_server_is(server, folder, tmp_path):
    write_part(folder, RUN, 1000, [9, 19, 29, 39], ended=False, loss=1.0)
    assert synced(tmp_path) == [""] and steps(server) == [9, 19, 29, 39]
    write_part(folder, RUN, 2000, [29, 39, 49, None], loss=2.0)
    assert synced(tmp_path) == [""] and not find_unsent_runs(tmp_path).runs
    assert steps(server) == [9, 19, 29, 39, 49, 50]
    assert [row["loss"] for row in server.history[RUN]] == [1, 1, 1, 1, 2, 2]
    assert server.history[RUN][4]["_timestamp"] == 2012
    assert '"of":{"value":2000}' in server.runs[RUN]["config"]


@pytest.mark.long
def test_a_streamed_run_that_was_killed_and_resumed(server, folder, tmp_path):
    command = [sys.executable, "-c", PROCESS, str(folder)]
    killed = subprocess.Popen([*command, "0", "8"])
    deadline = time.monotonic() + 120
    while RUN not in server.history and time.monotonic() < deadline:
        time.sleep(0.05)
    (folder / "go").touch()
    assert killed.wait(60) == -signal.SIGKILL
    early = steps(server)
    assert early and early == list(range(len(early))) and len(early) < 8
    subprocess.run([*command, "6", "12", "ends"], timeout=120, check=True)
    rows = {row["_step"]: row for row in server.history[RUN]}
    assert sorted(rows) == steps(server) == list(range(13))
    assert all(rows[step]["train"] == step / 2 and rows[step][STEP] == step for step in range(12))
    assert [step for step, row in rows.items() if "val" in row] == [2, 5, 8, 11]
    assert rows[12]["final/val"] == 1.0 and parts(folder)[-1].is_sent
    before = json.dumps(server.history)
    assert synced(tmp_path) == [""] and json.dumps(server.history) == before


def test_what_a_server_loses_is_not_taken_for_sent(server, folder, tmp_path, capsys):
    write_part(folder, RUN, 1000, [9, 19])
    server.lossy = True
    assert main(["sync", f"paths.root={tmp_path}"]) == 1
    assert f"failed {RUN}: the server has the rows up to step -1 of 19" in capsys.readouterr().err
    server.lossy = False
    assert main(["sync", f"paths.root={tmp_path}"]) == 0 and steps(server) == [9, 19]


def test_the_access_key_lies_in_no_file(server, folder, tmp_path):
    key = os.environ["WANDB_API_KEY"]
    command = [sys.executable, "-c", PROCESS, str(folder), "0", "3", "ends"]
    subprocess.run(command, timeout=120, check=True)
    assert read_part(part_files(folder)[0]).is_sent
    files = [file for file in tmp_path.rglob("*") if file.is_file()]
    assert len(files) > 4 and not [file for file in files if key.encode() in file.read_bytes()]


def test_the_table_of_a_sweep_is_a_table(server, folder):
    file = write_part(folder, RUN, 1000, [])
    table = {"_type": "table", "columns": ["a", "b"], "data": [["1", None]]}
    line = {"row": {"points": table}, "step": None, "time": 1.0}
    with file.open("a") as stream:
        stream.write(json.dumps(line) + "\n")
    assert synced(folder.parents[2]) == [""]
    (name,) = [name for name in server.files if name.startswith("media/table/points")]
    assert json.loads(server.files[name]) == {"columns": ["a", "b"], "data": [["1", None]]}
