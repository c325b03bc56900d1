"""Other ways for the language model: in turns, compared with the first, and what they leave."""

import json
import signal

import pytest
import torch

from motiongpt.errors import UserError
from tests.benchmarks.speed.part import Settings
from tests.benchmarks.variants import __main__ as command
from tests.benchmarks.variants import attention, model
from tests.benchmarks.variants.variant import Group, Way, timed

TINY = Settings(size="tiny", threads=1)


def lacking():
    raise NotImplementedError("no such\nthing here")


def group(asked, results):
    def way(name, result):
        return Way(name, lambda: lambda: (asked.append(name), torch.tensor(result))[1])

    return Group("thing", [way(n, r) for n, r in results.items()] + [Way("none", lacking)], 0.1)


def test_ways_take_turns_and_one_that_is_lacking_says_so():
    asked = []
    first, close, far, other, none = timed(
        group(asked, {"a": [2.0, 4.0], "b": [2.0, 4.2], "c": [2.0, 5.0], "d": [1.0]}), "cpu", 2
    )
    assert asked == ["a", "b", "c", "d"] * 3
    assert (first.same, close.same, far.same, other.same) == (None, True, False, False)
    assert close.apart == pytest.approx(0.05) and "(1,), not (2,)" in other.problem
    assert none.problem == "NotImplementedError: no such thing here" and none.median is None
    assert len(first.seconds) == 2 and first.median is not None


@pytest.mark.parametrize("backward", [False, True])
def test_attention_is_the_same_by_torchs_own(backward):
    made = attention.groups(TINY)[backward]
    ways = [way for way in made.ways if "Flex" not in way.name]  # which is compiled: minutes
    assert len(ways) == 2
    first, own = timed(Group(made.title, ways, 1e-5), "cpu", 1)
    assert own.same and own.apart is not None and not first.problem


def test_other_ways_of_the_whole_model_are_the_same_without_compiling():
    for made in model.groups(TINY):
        ways = [way for way in made.ways if "compile" not in way.name]
        found = list(timed(Group(made.title, ways, made.tolerance), "cpu", 1))
        assert not any(one.problem or one.same is False for one in found)


@pytest.fixture
def signals():
    """The command takes a time limit for Ctrl-C; what was set before is set again."""
    usual = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, usual)


def test_what_was_measured_before_a_time_limit_is_kept(tmp_path, monkeypatch, signals):
    def stopped():
        raise KeyboardInterrupt

    groups = [group([], {"a": [2.0]}), Group("late", [Way("b", stopped)], 0.1)]
    monkeypatch.setattr(command.attention, "groups", lambda settings: groups)
    assert command.main(["--size", "tiny", "--threads", "1", "--out", str(tmp_path)]) == 130
    kept = json.loads((tmp_path / "results.json").read_text())
    assert [one["way"] for one in kept["ways"]] == ["a", "none"]


def test_the_command_leaves_a_table(tmp_path, monkeypatch, signals):
    monkeypatch.setattr(command.attention, "groups", lambda settings: [])
    results = {"a": [2.0], "b": [2.0], "c": [9.0]}
    monkeypatch.setattr(command.model, "groups", lambda settings: [group([], results)])
    words = ["--size", "tiny", "--threads", "1", "--repeats", "2", "--out", str(tmp_path)]
    assert command.main(words) == 1, "c gives other numbers"
    table = (tmp_path / "table.md").read_text()
    assert "| thing | none | NotImplementedError: no such thing here | | | |" in table.replace(
        "|  |", "| |"
    ).replace("|  |", "| |")
    assert "**3.5e+00**" in table and "x 2" in table
    kept = json.loads((tmp_path / "results.json").read_text())
    assert [one["way"] for one in kept["ways"]] == ["a", "b", "c", "none"]
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UserError, match="use --device cpu"):
        command.main(["--device", "cuda"])
