"""What builds on a stage that failed is not started, in this process or in others of this machine."""

import io
from pathlib import Path
from typing import ClassVar

import pytest

from launch.jobs import execute as executing
from launch.jobs.execute import execute
from launch.jobs.plan_file import read_planned
from launch.jobs.work import Work
from launch.launchers import local
from motiongpt.errors import UserError
from motiongpt.files import write_json
from motiongpt.training.stopping import Interrupted
from tests.unit.plans import planned


@pytest.fixture
def plan(tmp_path):
    """Two chains of tokenizer, tokens, pretrain: a and b."""
    stages = []
    for name in "ab":
        tokenizer = planned(tmp_path, "tokenizer", f"{name}1")
        tokens = planned(tmp_path, "tokens", f"{name}2", [tokenizer])
        stages += [tokenizer, tokens, planned(tmp_path, "pretrain", f"{name}3", [tokens])]
    return stages


def running(monkeypatch, failing, error):
    """Signatures of the stages that are started, of which one fails."""
    started = []

    def run_stage(stage, stop, processes=None, group=""):
        started.append(stage.run.signature)
        if stage.run.signature == failing:
            raise error

    monkeypatch.setattr(executing, "run_stage", run_stage)
    return started


def test_children_of_a_failed_stage_and_theirs_are_not_started(plan, monkeypatch, capsys):
    started = running(monkeypatch, "a1", UserError("no room"))
    failed = execute(plan)
    assert started == ["a1", "b1", "b2", "b3"]
    assert failed == {
        "a1": "no room",
        "a2": "not started: tokenizer failed",
        "a3": "not started: tokens failed",
    }
    out = capsys.readouterr().out
    assert "tokens a2: not started, because tokenizer failed" in out
    assert "pretrain a3: not started, because tokens failed" in out


def test_a_stage_in_the_middle_stops_what_follows_alone(plan, monkeypatch):
    started = running(monkeypatch, "b2", RuntimeError("broken"))
    assert execute(plan).keys() == {"b2", "b3"}
    assert started == ["a1", "a2", "a3", "b1", "b2"]


def test_an_interruption_ends_the_plan(plan, monkeypatch):
    started = running(monkeypatch, "a1", Interrupted())
    with pytest.raises(KeyboardInterrupt):
        execute(plan)
    assert started == ["a1"]


class Process:
    """A worker that has ended: with a finished run, or with a failure."""

    failing = "a1"
    started: ClassVar[list[str]] = []

    def __init__(self, words, **_):
        stage = read_planned(Path(words[4]))
        self.stdin = io.BytesIO()
        self.failed = stage.run.signature == self.failing
        self.started.append(stage.run.signature)
        if not self.failed:
            write_json(stage.run.folder / "status.json", {"state": "finished"})

    def poll(self):
        return int(self.failed)


def test_the_local_launcher_does_not_start_them_either(plan, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(local.subprocess, "Popen", Process)
    monkeypatch.setattr(local, "take_snapshot", lambda root: root)
    monkeypatch.setattr(local, "POLL_SECONDS", 0.0)
    Process.started.clear()
    launcher = local.LocalLauncher(2, [], {}, {})
    assert launcher.launch(Work(tmp_path, "s", tmp_path / "sweeps/s", "group", plan, str), True)
    assert sorted(Process.started) == ["a1", "b1", "b2", "b3"]
    assert Process.started.index("b1") < Process.started.index("b2")
    out = capsys.readouterr().out
    assert out.count("not started, because what it builds on failed") == 2
