"""The whole main path on a handful of clips: runs, resumes, repeats."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest

from launch.runs.ledger import all_runs
from tests.command import motiongpt

pytestmark = pytest.mark.slow
COMMAND = [sys.executable, "-m", "launch.cli", "run", "debug=tiny", "stage.evaluate.pictures=1"]


def run(root, *overrides, check=True):
    done = motiongpt(*COMMAND[3:], f"paths.root={root}", *overrides)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def metrics(root, stage="evaluate"):
    found = [one for one in all_runs(root) if one.stage == stage]
    return {one.signature: one.metrics for one in found}


@pytest.fixture(scope="module")
def finished(tiny_root):
    return tiny_root("finished")


def test_it_leaves_results_a_table_and_a_page(finished):
    folder = next(one.folder for one in all_runs(finished) if one.stage == "evaluate")
    results = json.loads((folder / "results.json").read_text())
    tasks = {result["task"] for result in results["results"]}
    assert tasks == {
        "reconstruction",
        "text_to_motion",
        "motion_to_text",
        "prediction",
        "inbetween",
    }
    assert results["signature"] == folder.name and results["data"]["fingerprint"]
    page = (folder / "page.html").read_text()
    (data,) = re.findall(r'id="data">(.*?)</script>', page, re.S)
    shown = json.loads(data)["shown"]
    assert {clip["task"] for clip in shown} == tasks and all(clip["motions"] for clip in shown)
    assert f'<dd dir="auto">{folder.name}</dd>' in page and len(page) < 20_000_000
    assert all(one.state == "finished" for one in all_runs(finished))


def test_again_nothing_runs(finished):
    said = run(finished).stdout
    assert "9 stages: 0 to run, 9 reused" in said
    (evaluated,) = [one.folder for one in all_runs(finished) if one.stage == "evaluate"]
    assert said.splitlines()[-1] == str(evaluated / "page.html")


def test_the_same_seed_gives_the_same_metrics_with_other_workers(finished, tmp_path):
    run(tmp_path, "trainer.hardware.workers=2")
    assert metrics(tmp_path) == metrics(finished)
    for stage in ("tokenizer", "pretrain", "instruct"):
        assert metrics(tmp_path, stage) == metrics(finished, stage)


@pytest.mark.long
def test_killed_and_started_again_it_ends_as_if_undisturbed(finished, tmp_path):
    for stage in ("tokenizer", "instruct"):
        process = subprocess.Popen(
            [*COMMAND, f"paths.root={tmp_path}"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        deadline = time.monotonic() + 300
        while not list(tmp_path.glob(f"attempts/{stage}/*/*/checkpoints/last.ckpt")):
            assert process.poll() is None and time.monotonic() < deadline, f"no {stage} checkpoint"
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    said = run(tmp_path).stdout
    assert "goes on" in said or "reused" in said
    assert metrics(tmp_path) == metrics(finished)
    assert metrics(tmp_path, "tokenizer") == metrics(finished, "tokenizer")


def test_a_sweep_shares_what_does_not_differ(finished):
    said = run(finished, "-m", "tasks=text_to_motion,all", "goal=instruct").stdout
    assert said.count("\ntokenizer ") == 1 and said.count("\ninstruct ") == 2
    said = run(finished, "-m", "downsampling=1,2,4,8", "goal=tokenizer").stdout
    assert said.count("\ntokenizer ") == 4 and "4 stages: 3 to run, 1 reused" in said


def test_another_protocol_scores_the_same_predictions(finished):
    said = run(finished, "protocol.scoring.packing=released", "--dry-run").stdout
    assert "9 stages: 1 to run, 8 reused" in said
    said = run(finished, "protocol.motiongpt.prompts=released", "--dry-run").stdout
    assert "9 stages: 2 to run, 7 reused" in said


def test_saved_predictions_are_scored_without_the_model(finished, tmp_path):
    folder = next(one.folder for one in all_runs(finished) if one.stage == "generate")
    saved = tmp_path / "system"
    shutil.copytree(folder / "predictions", saved / "predictions")

    def scores(*overrides):
        words = ["score", "predictions", saved, "debug=tiny", "stage.evaluate.pictures=0"]
        done = motiongpt(*words, f"paths.root={finished}", *overrides)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads((saved / "scores" / "results.json").read_text())["results"]

    mine = scores()
    evaluated = next(one.folder for one in all_runs(finished) if one.stage == "evaluate")
    whole = json.loads((evaluated / "results.json").read_text())["results"]
    assert mine == [one for one in whole if one["task"] != "reconstruction"]
    other = scores("protocol.scoring.packing=released")
    assert other != mine, "what one protocol has scored is not taken for another's"


@pytest.mark.long
def test_an_audit_shows_what_each_deviation_moves(finished, tmp_path):
    words = ["audit", "debug=tiny", f"paths.root={finished}", "--against", "motiongpt_release"]
    done = motiongpt(*words, "--output", tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    table = (tmp_path / "table.md").read_text()
    assert "| packing: released |" in table and "| all of motiongpt_release |" in table
    joined = next(line for line in table.splitlines() if line.startswith("| joint_errors: padded"))
    assert "·" in joined


def test_gpt2_goes_the_same_way(finished):
    run(finished, "backbone=gpt2_tiny")


def test_a_changed_default_is_another_run(finished):
    said = run(finished, "stage.tokenizer.losses.velocity=0.4", "--dry-run").stdout
    assert "0 reused" not in said.splitlines()[-1] or "9 to run" in said
    tokenizer = next(line for line in said.splitlines() if line.startswith("tokenizer "))
    assert "absent" in tokenizer


def test_interrupted_it_says_so_and_what_to_do(tmp_path):
    process = subprocess.Popen(
        [*COMMAND, f"paths.root={tmp_path}", "stage.tokenizer.schedule.steps=100000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    deadline = time.monotonic() + 300
    while not list(tmp_path.glob("attempts/tokenizer/*/*/checkpoints/last.ckpt")):
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.05)
    said = ""
    for _ in range(3):  # a library may swallow one Ctrl-C; a person presses again
        process.send_signal(signal.SIGINT)
        try:
            said, _ = process.communicate(timeout=60)
            break
        except subprocess.TimeoutExpired:
            continue
    assert process.returncode == 130 and "goes on from the last checkpoint" in said
    only = next(one for one in all_runs(tmp_path) if one.stage == "tokenizer")
    assert only.state == "interrupted"
