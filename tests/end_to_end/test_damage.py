"""Damage in the whole: a loss that is not finite, a checkpoint and a model that are not whole."""

import subprocess
import sys

import pytest

from launch.runs.ledger import all_runs
from tests.command import motiongpt
from tests.unit.test_checkpoints import flipped

pytestmark = pytest.mark.slow


def without_traceback(root, *words):
    done = motiongpt(*words, f"paths.root={root}")
    assert "Traceback" not in done.stderr, done.stderr
    return done


def run(root, *overrides):
    return without_traceback(root, "run", "debug=tiny", "logger=none", "goal=tokenizer", *overrides)


TWO = ["launcher=local", "+launcher.stages.tokenizer={processes: 2}"]


@pytest.mark.parametrize(
    "where", [["launcher=debug"], pytest.param(["launcher=local"], marks=pytest.mark.long), TWO]
)
def test_a_loss_that_is_not_finite_fails_and_stays_failed(where, tmp_path):
    words = ["stage.tokenizer.learning_rate=1e15", *where]
    for number in (1, 2):
        done = run(tmp_path, *words)
        assert done.returncode == 1
        assert "stage tokenizer: the loss is not finite since step" in done.stdout
        assert "stage.tokenizer.learning_rate" in done.stdout
        (only,) = all_runs(tmp_path)
        assert only.state == "failed" and only.where.name == f"{number:04d}", "no retry"
        assert (only.where / "error.txt").exists()
    done = without_traceback(tmp_path, "report")
    assert done.returncode == 1 and "failed: stage tokenizer: the loss is not" in done.stdout


def test_a_flipped_checkpoint_is_named_and_the_one_before_is_gone_on_from(tmp_path):
    words = ["stage.tokenizer.schedule.checkpoint_every=3", "stage.tokenizer.schedule.steps=8"]
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run(whole, *words)
    process = [sys.executable, "-c", KILLED, "run", "debug=tiny", "logger=none", "goal=tokenizer"]
    subprocess.run([*process, *words, f"paths.root={broken}"], capture_output=True)
    (only,) = all_runs(broken)
    last = only.where / "checkpoints" / "last.ckpt"
    last.write_bytes(flipped(last.read_bytes(), last.stat().st_size // 2))
    done = run(broken, *words)
    assert done.returncode == 0 and "last.ckpt is damaged" in done.stdout
    assert only.status["attempts"][0]["attempt"] == 1
    assert only.metrics == all_runs(whole)[0].metrics


# Dies in its seventh step, behind checkpoints of the third and the sixth.
KILLED = """
import os, sys
from motiongpt.training import callbacks
start = callbacks.SeedEachStep.on_train_batch_start
def dies(self, trainer, *rest):
    os._exit(9) if trainer.global_step == 6 else start(self, trainer, *rest)
callbacks.SeedEachStep.on_train_batch_start = dies
from launch.cli import main
sys.exit(main())
"""


def test_a_damaged_model_is_found_by_the_plan_and_made_again(tmp_path):
    words = ["goal=tokens", "stage.tokenizer.schedule.steps=2"]
    assert run(tmp_path, *words).returncode == 0
    by_stage = {one.stage: one for one in all_runs(tmp_path)}
    model = by_stage["tokenizer"].folder / "model" / "tokenizer.safetensors"
    content = model.read_bytes()
    model.write_bytes(content[:-1])
    done = run(tmp_path, *words, "--dry-run")
    assert done.returncode == 0 and "run with --again tokenizer" in done.stdout
    model.write_bytes(flipped(content, len(content) // 2))
    done = run(tmp_path, *words, "--again", "tokens")
    assert done.returncode == 1 and "its checksum differs" in done.stdout
    done = run(tmp_path, *words, "--again", "tokenizer")
    assert done.returncode == 0, done.stdout + done.stderr
    assert model.read_bytes() == content
    assert all(one.state == "finished" for one in by_stage.values())
    assert "2 reused" in run(tmp_path, *words, "--dry-run").stdout
