"""Sweeps in processes of this machine."""

import csv
import fcntl
import os
import signal
import subprocess
import sys
import termios
import time

import psutil
import pytest

from launch.runs.ledger import all_runs
from launch.sweeps.record import sweep_names
from tests.command import motiongpt

pytestmark = pytest.mark.slow
COMMAND = [sys.executable, "-m", "launch.cli", "run", "debug=tiny", "launcher=local"]
LONG = ["goal=tokenizer", "stage.tokenizer.schedule.steps=100000"]


def run(root, *words, check=True):
    done = motiongpt(*COMMAND[3:], f"paths.root={root}", *words, timeout=300)
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


def begun(root, words, tokenizers, **how):
    """A launcher at work, when that many tokenizers have kept a checkpoint."""
    process = subprocess.Popen(
        [*COMMAND, f"paths.root={root}", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **how,
    )
    deadline = time.monotonic() + 200
    while len(list(root.glob("attempts/tokenizer/*/*/checkpoints/last.ckpt"))) < tokenizers:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    return process


def workers(root):
    """Numbers of the processes that run stages."""
    return [one.status["process"] for one in all_runs(root)]


def wait_until_gone(numbers):
    deadline = time.monotonic() + 100
    while any(psutil.pid_exists(one) for one in numbers):
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.long
def test_asked_to_stop_every_stage_keeps_a_checkpoint_and_goes_on_later(tmp_path):
    words = ["-m", "downsampling=2,4", "goal=tokenizer", "stage.tokenizer.schedule.steps=800"]
    process = begun(tmp_path, words, 2)
    os.kill(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=100)
    assert process.returncode == 130 and "goes on from the last checkpoint" in said
    assert [one.state for one in all_runs(tmp_path)] == ["interrupted"] * 2
    before = {one.signature: one.progress["step"] for one in all_runs(tmp_path)}

    run(tmp_path, *words)
    for one in all_runs(tmp_path):
        assert one.is_finished and one.progress["resumed_at"] >= before[one.signature] > 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_stage_outlives_its_launcher(tmp_path, number):
    process = begun(tmp_path, LONG, 1)
    stages = workers(tmp_path)
    process.send_signal(number)
    process.communicate(timeout=100)
    wait_until_gone(stages)
    (run,) = all_runs(tmp_path)
    assert run.state == "interrupted"
    assert list(run.where.glob("checkpoints/last.ckpt"))


def test_a_terminal_that_closes_takes_the_stages_with_it(tmp_path):
    """Its SIGHUP, that is."""
    terminal, end = os.openpty()
    process = begun(tmp_path, LONG, 1, stdin=end, start_new_session=True, preexec_fn=take_terminal)
    stages = workers(tmp_path)
    os.close(end)
    os.close(terminal)
    process.communicate(timeout=100)
    wait_until_gone(stages)
    assert [one.state for one in all_runs(tmp_path)] == ["interrupted"]


def take_terminal():
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # these tests may run under nohup
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def test_cancel_stops_the_launcher_of_its_sweep_and_no_other(tmp_path):
    mine, other = begun(tmp_path, LONG, 1), None
    try:
        other = begun(tmp_path, [*LONG, "downsampling=2"], 2)
        names = sweep_names(tmp_path)
        done = motiongpt("cancel", names[0], f"paths.root={tmp_path}")
        assert done.returncode == 0 and "cancelled 2 jobs" in done.stdout, done.stderr
        mine.communicate(timeout=100)
        assert mine.returncode == 130 and other.poll() is None
        assert sorted(one.state for one in all_runs(tmp_path)) == ["interrupted", "running"]
    finally:
        for process in (mine, other):
            if process is not None:
                process.terminate()
                process.communicate(timeout=100)
