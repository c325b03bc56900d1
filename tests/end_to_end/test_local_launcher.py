"""Sweeps in processes of this machine."""

import csv
import os
import signal
import subprocess
import sys
import time

import pytest

from launch.runs.ledger import all_runs

pytestmark = pytest.mark.slow
COMMAND = [sys.executable, "-m", "launch.cli", "run", "debug=tiny", "launcher=local"]


def run(root, *words, check=True):
    done = subprocess.run(
        [*COMMAND, f"paths.root={root}", *words], capture_output=True, text=True, timeout=300
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def test_a_sweep_runs_two_stages_at_once_and_ends_in_a_table(tmp_path):
    steps = "stage.tokenizer.schedule.steps=400"  # takes longer than one waits for the other
    words = ["-m", "downsampling=2,4", "goal=tokens", steps]
    said = run(tmp_path, *words).stdout
    assert "at most 2 at once" in said and "2 of 2 experiments" in said
    runs = {(one.stage, one.signature): one for one in all_runs(tmp_path)}
    tokenizers = [one.status for key, one in runs.items() if key[0] == "tokenizer"]
    assert max(one["started"] for one in tokenizers) < min(one["finished"] for one in tokenizers)
    (table,) = tmp_path.glob("sweeps/*/table.csv")
    assert {row["downsampling"] for row in csv.DictReader(table.open())} == {"2", "4"}
    again = run(tmp_path, *words).stdout
    assert "4 stages: 0 to run, 4 reused" in again and "2 of 2 experiments" in again


def test_two_processes_of_one_stage_leave_one_result(tmp_path):
    run(tmp_path, "goal=tokenizer", "+launcher.stages.tokenizer={processes: 2}")
    (one,) = all_runs(tmp_path)
    assert one.is_finished and not one.attempts.exists()
    assert one.progress["step"] == one.progress["steps"] == 20


def test_what_fails_stops_its_children_alone(tmp_path):
    words = ["-m", "stage.tokenizer.losses.reconstruction=nothing,l1", "goal=tokens"]
    done = run(tmp_path, *words, check=False)
    assert done.returncode == 1
    assert "not started, because what it builds on failed" in done.stdout
    assert "missing: " in done.stdout and "nothing" in done.stdout.partition("missing: ")[2]
    states = sorted((one.stage, one.state) for one in all_runs(tmp_path))
    assert states == [("tokenizer", "failed"), ("tokenizer", "finished"), ("tokens", "finished")]


def test_asked_to_stop_every_stage_keeps_a_checkpoint_and_goes_on_later(tmp_path):
    words = ["-m", "downsampling=2,4", "goal=tokenizer", "stage.tokenizer.schedule.steps=800"]
    process = subprocess.Popen(
        [*COMMAND, f"paths.root={tmp_path}", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 200
    while len(list(tmp_path.glob("attempts/tokenizer/*/*/checkpoints/last.ckpt"))) < 2:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=100)
    assert process.returncode == 130 and "goes on from the last checkpoint" in said
    assert [one.state for one in all_runs(tmp_path)] == ["interrupted"] * 2
    before = {one.signature: one.progress["step"] for one in all_runs(tmp_path)}

    run(tmp_path, *words)
    for one in all_runs(tmp_path):
        assert one.is_finished and one.progress["resumed_at"] >= before[one.signature] > 0
