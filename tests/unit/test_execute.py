"""A plan run in this process: what builds on a stage that failed is not started."""

import pytest

from launch.jobs import execute as executing
from launch.jobs.execute import execute
from motiongpt.errors import UserError
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
