"""One process for what the method trains, and a second one for the judges."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from launch.runs.ledger import all_runs
from tests.command import motiongpt

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one core only: nothing is beside"),
]
WORDS = ["run", "debug=tiny", "launcher=beside"]


def test_judges_are_trained_beside_and_all_is_finished_once(tmp_path):
    long = "stage.tokenizer.schedule.steps=300"  # the second process takes seconds to begin
    done = motiongpt(*WORDS, f"paths.root={tmp_path}", long)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "beside, in a process of their own: evaluator, classifier" in done.stdout
    runs = {one.stage: one for one in all_runs(tmp_path)}
    assert all(one.is_finished and not one.attempts.exists() for one in runs.values())
    own, judges = runs["tokenizer"].status, runs["evaluator"].status
    assert own["process"] == runs["evaluate"].status["process"] != judges["process"]
    assert judges["process"] == runs["classifier"].status["process"]
    assert own["started"] < judges["started"] < own["finished"]


@pytest.mark.long
def test_a_judge_that_fails_is_said_by_the_run_itself(tmp_path):
    words = [*WORDS, f"paths.root={tmp_path}", "evaluator.training.learning_rate=1e30"]
    done = motiongpt(*words, "goal=[evaluator,tokenizer]")
    assert done.returncode == 1
    assert "evaluator" in done.stdout and "not finite" in done.stdout
    states = {one.stage: one.state for one in all_runs(tmp_path)}
    assert states == {"evaluator": "failed", "tokenizer": "finished"}


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGINT, marks=pytest.mark.long), signal.SIGKILL]
)
def test_the_second_process_does_not_outlive_the_first(tmp_path, number):
    words = ["goal=[evaluator,tokenizer]", "evaluator.training.steps=100000"]
    words += ["stage.tokenizer.schedule.steps=100000", f"paths.root={tmp_path}"]
    first = subprocess.Popen(
        [sys.executable, "-m", "launch.cli", *WORDS, *words], stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 200
    while not list(tmp_path.glob("attempts/evaluator/*/*/status.json")):
        assert first.poll() is None and time.monotonic() < deadline
        time.sleep(0.1)
    (judge,) = [one for one in all_runs(tmp_path) if one.stage == "evaluator"]
    first.send_signal(number)
    first.communicate(timeout=100)
    while psutil.pid_exists(judge.status["process"]):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert judge.state == "interrupted"
