"""One damaged JSON file of a run or sweep is named once and hides no other."""

import json
import os
from dataclasses import replace

import pytest

from evaluation.leaderboard.runs import gather
from launch.commands import cancel, clean, logs, report, status
from launch.jobs.records import PROCESSES, SLURM, JobRecord, job_of
from launch.runs.attempts import claimed
from launch.runs.ledger import Run, find_run
from launch.runs.records import say_once
from launch.sweeps.cleaning import find_waste
from launch.sweeps.closing import close_sweep
from launch.sweeps.overview import overview, overview_table
from launch.sweeps.record import Point, Sweep, readable_sweep, sweep_names
from motiongpt.errors import UserError
from tests.unit.results_files import FACTS

DAMAGES = {
    "empty": b"",
    "cut": b'{"state": "fini',
    "no UTF-8": b'{"state": "\xff\xfe"}',
    "NUL": b"\0" * 64,
    "deep": b'{"state": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a list": b"[1, 2]",
    "a number": b"7",
}
WRONG = (None, [], {}, 3, "x", [[1]], {"a": {"b": []}}, 1e300, -1, True)
KEYS = {
    "status.json": ("state", "started", "time", "finished", "attempts", "error", "host", "job"),
    "progress.json": ("step", "steps", "metrics", "steps_per_second"),
    "metrics.json": ("loss",),
    "config.json": ("parents", "config", "settings"),
    "owner.json": ("host", "process", "born", "job"),
    "sweep.json": ("points", "words", "config", "name", "table", "group", "created"),
}


@pytest.fixture
def root(tmp_path):
    """A finished and an interrupted run, and two sweeps."""
    runs = [Run(tmp_path, "tokenizer", "a" * 16), Run(tmp_path, "pretrain", "b" * 16)]
    for run in runs:
        with claimed(run, str) as attempt:
            (attempt.folder / "progress.json").write_text('{"step": 3, "steps": 9}')
            (attempt.folder / "config.json").write_text('{"parents": {}, "config": {}}')
            (attempt.folder / "log.txt").write_text("said something\n")
            if run is runs[0]:
                attempt.publish({"loss": 0.5})
            else:
                attempt.set_state("interrupted")
    for number, run in enumerate(runs):
        key = [run.stage, run.signature]
        words = ["run", f"a={number}"]
        Sweep(
            tmp_path, f"sweep-{number}", words, "g", [Point(words[1:], [key], [key])],
            {"logger": {}, "shown": []},
        ).write()  # fmt: skip
    return tmp_path


def shown(root):
    """What is listed by status, report, clean and logs; cancel takes the lines of status."""
    sweeps = [readable_sweep(root, name) for name in sweep_names(root)]
    return "\n".join(
        [
            overview_table(overview(root)),
            *(close_sweep(one).text for one in sweeps if one is not None),
            *map(str, find_waste(root)),
            str(find_run(root, "bbbb")),
        ]
    )


@pytest.mark.parametrize("command", [status, report, clean, logs, cancel])
def test_every_command_goes_past_a_damaged_run_and_a_damaged_sweep(command, root, capsys):
    bad = [
        root / "runs" / "tokenizer" / ("a" * 16) / "status.json",
        root / "sweeps" / "sweep-1" / "sweep.json",
    ]
    for file in bad:
        file.write_bytes(b"\xff")
    words = {logs: ["b" * 16], cancel: ["--all"], clean: ["--dry-run"]}.get(command, [])
    assert command.main([f"paths.root={root}", *words]) in (0, 1)
    said = capsys.readouterr()
    assert said.out and all(said.err.count(str(file)) <= 1 for file in bad)


@pytest.mark.parametrize("content", DAMAGES.values(), ids=list(DAMAGES))
def test_a_damaged_file_is_named_once_and_the_rest_is_shown(content, root, capsys):
    finished = root / "runs" / "tokenizer" / ("a" * 16)
    for file in (
        finished / "status.json",
        root / "sweeps" / "sweep-0" / "sweep.json",
        root / "jobs" / "tokenizer" / f"{'a' * 16}.json",
    ):
        kept = file.read_bytes() if file.exists() else b""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        text, err = shown(root), capsys.readouterr().err
        assert "pretrain" in text and "interrupted" in text and "sweep-1" in text
        assert err.count(str(file)) == 1 and len(err.splitlines()) == 1, err
        if file.name == "status.json":
            assert "damaged" in text
        file.write_bytes(kept) if kept else file.unlink()


@pytest.mark.slow
@pytest.mark.parametrize("name", KEYS)
def test_values_of_other_kinds_hide_nothing_either(name, root, capsys):
    attempt = root / "attempts" / "pretrain" / ("b" * 16) / "0001"
    finished = root / "runs" / "tokenizer" / ("a" * 16)
    files = [folder / name for folder in (attempt, finished, root / "sweeps" / "sweep-0")]
    for file in (one for one in files if one.exists()):
        kept = json.loads(file.read_text())
        for key in KEYS[name]:
            for value in WRONG:
                file.write_text(json.dumps({**kept, key: value}))
                text = shown(root)
                assert "tokenizer" in text and "pretrain" in text and "sweep-1" in text
                assert len(capsys.readouterr().err.splitlines()) <= 1
                say_once.cache_clear()
        file.write_text(json.dumps(kept))


def test_what_a_damaged_file_may_refer_to_is_not_deleted(root):
    (root / "sweeps" / "sweep-0" / "sweep.json").write_text("{")
    with pytest.raises(UserError, match="sweep-0"):
        find_waste(root, unreferenced_days=-1.0)


def test_the_next_attempt_goes_past_a_damaged_status(root):
    run = Run(root, "pretrain", "b" * 16)
    (run.attempts / "0001" / "status.json").write_bytes(b"\0" * 9)
    (run.attempts / "0001" / "owner.json").write_bytes(b"[]")
    assert run.state == "damaged"
    (run.attempts / "0001" / "heartbeat").touch()
    os.utime(run.attempts / "0001" / "heartbeat", (0, 0))
    with claimed(run, str) as attempt:
        assert attempt.number == 2 and run.state == "running"
        assert (attempt.folder / "log.txt").read_text() == "said something\n"


def test_records_of_jobs_are_read_as_written_and_as_earlier_versions_wrote_them(root, capsys):
    run, file = Run(root, "pretrain", "b" * 16), root / "jobs" / "pretrain" / f"{'b' * 16}.json"
    record = JobRecord("pretrain", "b" * 16, "host:7", "s", "log", 1.0, "n", PROCESSES)
    record.write(root)
    assert job_of(run) == record
    kept = json.loads(file.read_text())
    early = {key: value for key, value in kept.items() if key not in ("name", "launcher")}
    file.write_text(json.dumps(early))
    assert job_of(run) == replace(record, name="", launcher=SLURM)
    for wrong in ({**kept, "launcher": "other"}, {**kept, "more": 1}, {"job": "3"}):
        capsys.readouterr()
        say_once.cache_clear()
        file.write_text(json.dumps(wrong))
        assert job_of(run) is None and str(file) in capsys.readouterr().err


@pytest.mark.parametrize("content", DAMAGES.values(), ids=list(DAMAGES))
def test_a_damaged_result_is_left_out_of_the_leaderboard_by_name(content, tmp_path):
    for name in ("good", "bad"):
        file = tmp_path / "runs" / "evaluate" / name / "results.json"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(FACTS))
    file.write_bytes(content)
    runs, left_out = gather([tmp_path])
    assert len(runs) == 1 and len(left_out) == 1 and str(file) in left_out[0]
