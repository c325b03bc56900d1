"""The benchmark as it is typed: taking turns, failures, Ctrl-C, and what it leaves."""

import json
import signal
import subprocess
import sys
from multiprocessing import get_context
from typing import ClassVar

import numpy as np
import psutil
import pytest

from motiongpt.errors import UserError
from tests.benchmarks.speed import measuring, process
from tests.benchmarks.speed.__main__ import main
from tests.benchmarks.speed.measuring import PartResult, SideResult
from tests.benchmarks.speed.part import Settings
from tests.benchmarks.speed.parts import part_names
from tests.benchmarks.speed.process import Failed, Process
from tests.shared import ROOT
from tests.together import FORKING

TINY = ["--size", "tiny", "--threads", "1"]


class FakeProcess:
    """Answers as a process does; `script` says at which run of which side something happens."""

    asked: ClassVar[list] = []
    script: ClassVar[dict] = {}
    features: ClassVar[dict] = {}

    def __init__(self, part, side, folder, settings, log):
        self.side, self.runs = side, 0

    def ask(self, word):
        if word == "run":
            self.asked.append(self.side)
            self.runs += 1
            if error := self.script.get((self.side, self.runs)):
                raise error
            seconds = float(self.runs) * (6 if self.side == "original" else 1)
            return {"seconds": seconds, "peak_bytes": 3 * 2**20, "start_bytes": 2**20}
        features = np.full((1, 5), self.features.get(self.side, 0.0))
        return {"features": features, "clips": np.array(1)}

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        pass


@pytest.fixture
def fake(monkeypatch, tmp_path):
    """A benchmark without processes, started in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(measuring, "Process", FakeProcess)
    for name, value in (("asked", []), ("script", {}), ("features", {})):
        monkeypatch.setattr(FakeProcess, name, value)
    usual = signal.getsignal(signal.SIGTERM)
    yield FakeProcess
    signal.signal(signal.SIGTERM, usual)


def measured(*words, status=0):
    assert main([*words, *TINY, "--out", "speed"]) == status
    with open("speed/results.json") as file:
        kept = json.load(file)
    with open("speed/table.md") as file:
        return kept, file.read()


def test_sides_take_turns_and_the_warm_up_is_not_counted(fake, capsys):
    kept, table = measured("features", "--repeats", "3")
    assert fake.asked == ["original", "ours"] * 4
    original, ours = kept["parts"][0]["sides"]
    assert original["seconds"] == [12.0, 18.0, 24.0] and ours["seconds"] == [2.0, 3.0, 4.0]
    assert (original["ratio"], ours["ratio"], ours["median"]) == (None, 6.0, 3.0)
    assert "| features | ours | 3.00 (2.00 – 4.00) x 3 | **6.0** | 3 | 100% | 1 clips |" in table
    assert "Same: features differ by 0.0e+00" in table
    shown = capsys.readouterr().out
    assert shown.count("warm-up") == 2 and "3 of 3" in shown and "written to speed" in shown


def test_the_report_says_where_and_how_to_get_it_again(fake):
    kept, table = measured("features")
    assert {"cpu", "cores", "cpu_flags", "load"} <= set(kept["machine"])
    assert {"torch", "transformers"} <= set(kept["machine"]["versions"])
    command = "python -m tests.benchmarks.speed features --size tiny --threads 1 --out speed"
    assert kept["command"] == command and table.endswith(f"`{command}`\n")
    assert kept["settings"]["seed"] == 0 and "git_commit" in kept["git"]


def test_three_sides_take_turns_too_and_ctrl_c_keeps_what_was_measured(fake):
    fake.script = {("ours float32", 3): KeyboardInterrupt()}
    kept, table = measured("generation", "features", status=130)
    assert fake.asked == ["original", "ours float32", "ours bfloat16"] * 2 + [
        "original",
        "ours float32",
    ]
    assert [part["part"] for part in kept["parts"]] == ["generation"] and kept["interrupted"]
    assert [len(side["seconds"]) for side in kept["parts"][0]["sides"]] == [2, 1, 1]
    assert "Stopped before its end" in table


def test_a_side_that_fails_does_not_stop_the_other(fake):
    fake.script = {("original", 3): Failed("memory ran out")}
    kept, table = measured("features", "--repeats", "3", status=1)
    assert fake.asked == ["original", "ours"] * 3 + ["ours"]
    original, ours = kept["parts"][0]["sides"]
    assert original["problem"] == "memory ran out" and original["seconds"] == [12.0]
    assert len(ours["seconds"]) == 3 and ours["check"] is None
    assert "Ended early: memory ran out" in table


def test_a_side_that_never_ran_says_why(fake):
    fake.script = {("original", 1): Failed("memory ran out")}
    _, table = measured("features", status=1)
    assert "| features | original | memory ran out |" in table


def test_sides_that_differ_fail_the_command(fake):
    fake.features = {"ours": 1.0}
    kept, table = measured("features", status=1)
    assert not kept["parts"][0]["sides"][1]["check"]["passed"] and "**NOT the same**" in table


def test_memory_of_fresh_processes_is_what_they_grew_by(fake):
    kept, _ = measured("store_opening", "--repeats", "1")
    assert [side["memory"] for side in kept["parts"][0]["sides"]] == [2 * 2**20] * 2


def test_ratios_are_those_of_the_medians():
    sides = {"original": SideResult([10.0, 12.0, 50.0], 400), "ours": SideResult([1.0, 2.0], 100)}
    result = PartResult("thing", "cpu", sides)
    assert result.ratio("ours") == 8.0 and result.ratio("original") is None
    assert result.memory_share("ours") == 0.25
    assert PartResult("thing", "cpu", sides | {"original": SideResult()}).ratio("ours") is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trainig"], "no part 'trainig'; choose some of: features, .*"),
        (["--repeats", "0"], "--repeats 0: give 1 or more"),
        (["--threads", "0"], "--threads 0: give 1 or more"),
        (["--device", "cuda"], "use --device cpu"),
    ],
)
def test_bad_input_is_refused_before_anything_is_written(words, said, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(UserError, match=said):
        main(words)


@pytest.mark.parametrize(
    "how",
    [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)],
    ids=["Ctrl-C", "time limit"],
)
def test_stopping_ends_the_processes_and_keeps_what_was_measured(how, tmp_path):
    words = ["features", *TINY, "--repeats", "100000", "--out", str(tmp_path)]
    running = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.speed", *words],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        # A shell's background job ignores Ctrl-C, and so would what it starts.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert running.stdout is not None
    for line in running.stdout:
        if " 3 of 100000" in line:
            break
    children = [
        child
        for child in psutil.Process(running.pid).children(recursive=True)
        if "spawn_main" in " ".join(child.cmdline())
    ]
    assert len(children) == 2
    running.send_signal(how)
    rest, _ = running.communicate(timeout=120)
    assert running.returncode == 130 and "Stopped before its end" in rest
    assert not any(child.is_running() for child in children)
    kept = json.loads((tmp_path / "results.json").read_text())
    assert kept["interrupted"] and len(kept["parts"][0]["sides"][0]["seconds"]) >= 3
    assert all(side["memory"] > 2**20 for side in kept["parts"][0]["sides"])


def test_a_process_says_in_one_line_why_it_fails_or_ends(tmp_path):
    log = tmp_path / "log"
    arguments = ("features", "ours", tmp_path, Settings(size="enormous", threads=1), log)
    with Process(*arguments) as broken:
        with pytest.raises(Failed, match="KeyError: 'enormous'"):
            broken.ask("build")
        broken._process.kill()
        with pytest.raises(Failed, match="memory ran out"):
            broken.ask("build")
    assert "Traceback" in log.read_text()


@pytest.mark.long
@pytest.mark.slow
def test_all_parts_are_measured_in_processes(tmp_path, monkeypatch):
    """Forked, as what is measured does not matter here: twenty processes import nothing."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(process, "CONTEXT", get_context(FORKING))
    kept, _ = measured("--repeats", "1")
    assert [part["part"] for part in kept["parts"]] == part_names()
