"""Taking turns, failures, time limits, Ctrl-C, and the numbers that follow from the times."""

import json
import os
import subprocess
import sys
import time
from typing import ClassVar

import numpy as np
import pytest

from evaluation.speed import measuring
from evaluation.speed.benchmark import Benchmark
from evaluation.speed.device import peak_memory
from evaluation.speed.limits import Limits, measure_limits
from evaluation.speed.machine import OtherPrograms
from evaluation.speed.part import Check, Goal, Needs, Repeats, Settings, Side
from evaluation.speed.report import Circumstances, write_report
from evaluation.speed.results import PartResult, SideResult
from evaluation.speed.worker import Failed, OutOfTime, Worker

TINY = Settings(size="tiny", threads=1)
LIMITS = Limits({"float32": 1e9, "bfloat16": 2e9}, 1e9)


class FakeWorker:
    """Answers as a child does; `script` says at which run of which side something happens."""

    asked: ClassVar[list] = []
    script: ClassVar[dict] = {}

    def __init__(self, part, side, folder, settings, log, deadline):
        self.side, self.folder, self.runs = side, folder, 0

    def ask(self, word):
        if word == "limits":
            return {"flop": LIMITS.flop, "bandwidth": LIMITS.bandwidth}
        if word == "run":
            self.asked.append(self.side)
            self.runs += 1
            if error := self.script.get((self.side, self.runs)):
                raise error
            measured = {"seconds": float(self.runs), "others": 0.1}
            return measured | {"peak_bytes": 3000, "start_bytes": 1000}
        if word == "findings":
            np.savez(self.folder / f"found-{self.side}.npz", features=np.zeros((1, 5)))
        return {}

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass


@pytest.fixture
def fake(monkeypatch):
    monkeypatch.setattr(measuring, "Worker", FakeWorker)
    monkeypatch.setattr(FakeWorker, "asked", [])
    monkeypatch.setattr(FakeWorker, "script", {})
    return FakeWorker


def measured(tmp_path, name="features", repeats=None):
    said = []
    one = measuring.Measurement(
        name, TINY, repeats or Repeats(1, 3), tmp_path, tmp_path, None, said.append
    )
    one.measure()
    return one.result, said


def test_sides_take_turns_and_the_warm_up_is_not_counted(fake, tmp_path):
    result, said = measured(tmp_path)
    assert fake.asked == ["original", "ours"] * 4
    assert [one.seconds for one in result.sides] == [[2.0, 3.0, 4.0]] * 2
    assert result.sides[0].work_bytes == 2000
    assert [check.passed for check in result.checks] == [True]
    assert sum("warm-up" in line for line in said) == 2


def test_three_sides_take_turns_too(fake, tmp_path):
    fake.script = {(side, 4): KeyboardInterrupt() for side in ("original",)}
    with pytest.raises(KeyboardInterrupt):
        measured(tmp_path, "generation")
    assert fake.asked == ["original", "ours float32", "ours bfloat16"] * 3 + ["original"]


def test_a_side_that_fails_does_not_stop_the_other(fake, tmp_path):
    fake.script = {("original", 3): Failed("memory ran out")}
    result, _ = measured(tmp_path)
    assert fake.asked == ["original", "ours"] * 3 + ["ours"]
    assert result.sides[0].problem == "memory ran out" and result.sides[0].seconds == [2.0]
    assert len(result.sides[1].seconds) == 3 and result.checks == []


def test_what_was_measured_before_the_time_was_over_stays(fake, tmp_path):
    fake.script = {("ours", 3): OutOfTime()}
    result, said = measured(tmp_path)
    assert [len(one.seconds) for one in result.sides] == [2, 1]
    assert all("out of time" in one.problem for one in result.sides)
    assert "out of time" in said[-1]


def test_ctrl_c_keeps_what_was_measured(fake, tmp_path):
    fake.script = {("ours", 3): KeyboardInterrupt()}
    benchmark = Benchmark(
        ["features", "generation"], ["cpu"], TINY, 3, 1, None, tmp_path, lambda line: None
    )
    assert not benchmark.run()
    assert [result.name for result in benchmark.results] == ["features"]
    assert [len(one.seconds) for one in benchmark.results[0].sides] == [2, 1]
    markdown = write_report(tmp_path, benchmark.results, benchmark.limits, about(interrupted=True))
    assert "Stopped before its end" in markdown


def test_nothing_measured_can_be_written_too(tmp_path):
    assert "Stopped" in write_report(tmp_path, [], {}, about(interrupted=True))
    assert json.loads((tmp_path / "results.json").read_text())["parts"] == []


def about(**other):
    return Circumstances(
        command="motiongpt benchmark features",
        time="2026-01-01T00:00:00Z",
        settings={"size": "base", "threads": 1, "seed": 0},
        machine={
            "cpu": "a CPU",
            "cores": 2,
            "cpu_flags": ["avx2"],
            "memory_bytes": 2**33,
            "gpu": None,
            "load": 0.1,
        },
        versions={"torch": "2", "transformers": "4"},
        git={"git_commit": "0123456789abcdef", "git_dirty": True},
        **other,
    )


def result_of(original, ours, size="base", goal=None):
    sides = [
        SideResult(Side("original", "float32", "slow"), original, [], 4000 * 2**20, 0),
        SideResult(
            Side("ours", "bfloat16", "fast", {"cpu": goal} if goal else {}),
            ours,
            [],
            1000 * 2**20,
            0,
        ),
    ]
    return PartResult(
        name="thing",
        title="A thing",
        workload="much of it",
        unit="tokens",
        device="cpu",
        size=size,
        growth=False,
        needs=Needs(units=100, flop=1e9, numbers=1e8),
        sides=sides,
        checks=[Check("equal", True)],
    )


def test_ratios_are_those_of_the_medians_and_of_neighbours():
    result = result_of([10.0, 12.0, 50.0], [1.0, 2.0, 4.0])
    ours = result.sides[1]
    assert result.ratio(ours) == 6.0 and result.ratio(result.sides[0]) is None
    assert result.ratio_range(ours) == (6.0, 12.5)
    assert result.rate(ours) == 50.0 and result.memory_share(ours) == 0.25


def test_the_limit_is_the_slower_of_calculating_and_moving():
    result = result_of([1.0], [1.0])
    assert result.limit_seconds(result.sides[0], LIMITS) == 1.0  # both 1e9 / 1e9 and 4e8 / 1e9
    assert result.limit_seconds(result.sides[1], LIMITS) == 0.5
    assert Limits({"float32": 1e12}, 1e9).seconds(result.needs, "float32") == 0.4
    assert LIMITS.seconds(Needs(units=1), "float32") is None
    better = LIMITS.or_better(Limits({"float32": 3e9, "bfloat16": 1e9}, 5e8))
    assert better == Limits({"float32": 3e9, "bfloat16": 2e9}, 1e9)


@pytest.mark.parametrize(
    ("goal", "verdicts"),
    [
        (Goal(ratio=5.9), {"≥ 5.9 x": True}),
        (Goal(ratio=6.1), {"≥ 6.1 x": False}),
        (Goal(ratio=5, memory_share=0.25), {"≥ 5 x": True, "≤ 0.25 of the memory": True}),
        (Goal(ratio=5, memory_share=0.24), {"≥ 5 x": True, "≤ 0.24 of the memory": False}),
        (Goal(seconds=2), {"≤ 2 s": True}),
        (Goal(seconds=1.9), {"≤ 1.9 s": False}),
        (Goal(memory_bytes=900e6), {"≤ 900 MB": False}),
    ],
)
def test_goals_count_at_size_base_only(goal, verdicts):
    result = result_of([12.0], [2.0], goal=goal)
    assert result.verdicts(result.sides[1]) == verdicts
    assert result.verdicts(result.sides[0]) == {}
    assert result_of([12.0], [2.0], "small", goal).verdicts(result.sides[1]) == {}


def test_the_report_says_what_was_measured_where_and_how(tmp_path):
    result = result_of([10.0, 12.0], [1.0, 2.0], goal=Goal(ratio=9))
    markdown = write_report(tmp_path, [result], {"cpu": LIMITS}, about())
    assert "| thing | ours | 1.50 (1.00 – 2.00) | **7.3** (6.0 – 10.0) | ≥ 9 x: no |" in markdown
    assert "| 1,000 | 25% | 67 tokens | 33% |" in markdown
    assert "commit 0123456789 with changes" in markdown and "copy 1.0 GB/s" in markdown
    assert markdown.endswith("To get it again: `motiongpt benchmark features`")
    kept = json.loads((tmp_path / "results.json").read_text())
    side = kept["parts"][0]["sides"][1]
    assert side["seconds"] == [1.0, 2.0] and side["goal"] == {"≥ 9 x": False}
    assert side["limit_seconds"] == 0.5 and kept["limits"]["cpu"]["bandwidth"] == 1e9
    rows = (tmp_path / "table.csv").read_text().splitlines()
    assert len(rows) == 3 and len({row.count(",") for row in rows}) == 1
    assert (tmp_path / "ratios.png").read_bytes().startswith(b"\x89PNG")


def test_a_disturbed_run_is_marked(tmp_path):
    result = result_of([10.0, 10.0, 10.0], [1.0, 1.0, 1.0])
    result.sides[0].others = [0.1, 0.2, 1.9]
    calm = write_report(tmp_path, [result], {"cpu": LIMITS}, about())
    result.sides[1].others = [0.1, 1.0, 1.9]
    disturbed = write_report(tmp_path, [result], {"cpu": LIMITS}, about())
    assert "†" not in calm and "| 1.00 (1.00 – 1.00) † |" in disturbed
    assert "Other programs kept more than 0.25 cores busy" in disturbed


def test_other_programs_are_noticed():
    others = OtherPrograms()
    busy = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    time.sleep(1)
    busy.kill()
    busy.wait()
    noticed = others.cores()
    assert 0.2 < noticed <= os.cpu_count() + 0.1


def test_a_side_without_a_run_says_why(tmp_path):
    result = result_of([], [1.0])
    result.sides[0].problem = "was killed, most likely because memory ran out"
    markdown = write_report(tmp_path, [result], {"cpu": LIMITS}, about())
    assert "| thing | original | was killed, most likely" in markdown
    assert result.ratio(result.sides[1]) is None


def test_a_child_that_takes_too_long_is_ended(tmp_path):
    start = time.monotonic()
    late = Worker("features", "ours", tmp_path, TINY, tmp_path / "log", start + 0.1)
    with late as worker, pytest.raises(OutOfTime):
        worker.ask("build")
    assert late._process.returncode is not None and time.monotonic() - start < 30


def test_a_child_that_ends_says_its_last_words(tmp_path):
    settings = Settings(size="enormous")
    deadline = time.monotonic() + 60
    broken = Worker("features", "ours", tmp_path, settings, tmp_path / "log", deadline)
    with broken as worker, pytest.raises(Failed, match="KeyError: 'enormous'"):
        worker.ask("build")


def test_peak_memory_remembers_what_was_given_back():
    before = peak_memory("cpu")
    held = np.ones(40_000_000)
    assert held.sum() == 40_000_000
    del held
    assert peak_memory("cpu") >= before


def test_limits_are_measured(monkeypatch):
    from evaluation.speed import limits

    monkeypatch.setattr(limits, "MATRIX", {"cpu": 128})
    monkeypatch.setattr(limits, "COPIED", {"cpu": 2**20})
    found = measure_limits("cpu")
    assert min(*found.flop.values(), found.bandwidth) > 0
