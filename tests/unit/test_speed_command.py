"""motiongpt benchmark as it is typed."""

import json
import signal
import subprocess
import sys

import psutil
import pytest

from evaluation.speed.catalogue import part_names
from launch.cli import main


def measured(words, tmp_path, monkeypatch):
    """What `motiongpt benchmark` leaves when it measures `words` on one thread, in a hurry."""
    monkeypatch.chdir(tmp_path)
    hurry = ["--size", "tiny", "--threads", "1", "--device", "cpu", "--warm-up", "0"]
    assert main(["benchmark", *words, *hurry, "--out", "speed"]) == 0
    kept = json.loads((tmp_path / "speed/results.json").read_text())
    assert kept["command"] == f"motiongpt benchmark {' '.join([*words, *hurry])} --out speed"
    for part in kept["parts"]:
        assert all(side["peak_bytes"] > side["start_bytes"] > 0 for side in part["sides"])
        assert part["checks"] and all(check["passed"] for check in part["checks"])
    return kept


def test_it_measures_in_processes_and_leaves_its_files(tmp_path, monkeypatch, capsys):
    kept = measured(["features", "--repeats", "2"], tmp_path, monkeypatch)
    shown = capsys.readouterr().out
    assert "2 of 2" in shown and "| features | ours |" in shown
    assert {"cpu", "cores", "cpu_flags", "load"} <= set(kept["machine"])
    assert {"torch", "transformers"} <= set(kept["versions"]) and not kept["interrupted"]
    assert kept["limits"]["cpu"]["bandwidth"] > 0
    assert [len(side["seconds"]) for side in kept["parts"][0]["sides"]] == [2, 2]
    assert {file.name for file in (tmp_path / "speed").iterdir()} == {
        *("table.md", "table.csv", "results.json", "ratios.png", "logs")
    }


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "time limit"])
def test_stopping_ends_the_processes_and_keeps_what_was_measured(how, tmp_path):
    words = ["features", "--size", "tiny", "--threads", "1", "--device", "cpu"]
    running = subprocess.Popen(
        [sys.executable, "-m", "launch.cli", "benchmark", *words, "--repeats", "100000"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    for line in running.stdout:
        if " 3 of 100000" in line:
            break
    children = psutil.Process(running.pid).children(recursive=True)
    assert len(children) == 2
    running.send_signal(how)
    rest, _ = running.communicate(timeout=120)
    assert running.returncode == 130 and "Stopped before its end" in rest
    assert not any(child.is_running() for child in children)
    kept = json.loads(next(tmp_path.glob("outputs/benchmark/*/results.json")).read_text())
    assert kept["interrupted"] and len(kept["parts"][0]["sides"][0]["seconds"]) >= 3


@pytest.mark.slow
def test_all_parts_are_measured_in_processes(tmp_path, monkeypatch):
    kept = measured(["--repeats", "1"], tmp_path, monkeypatch)
    assert [part["part"] for part in kept["parts"]] == part_names()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["trainig"], "no part 'trainig'; choose some of: features"),
        (["--repeats", "0"], "--repeats 0: give 1 or more"),
        (["--threads", "0"], "--threads 0: give 1 or more"),
        (["--warm-up", "-1"], "--warm-up -1: give 0 or more"),
        (["--part-timeout", "0"], "--part-timeout 0"),
    ],
)
def test_bad_input_is_one_line(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["benchmark", *words]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_gpu_that_is_not_there_is_one_line(capsys, tmp_path, monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.chdir(tmp_path)
    assert main(["benchmark", "--device", "cuda"]) == 2
    assert "use --device cpu" in capsys.readouterr().err
