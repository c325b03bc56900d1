"""A job belongs to the sweep that submitted it; nobody else's is touched."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from launch.cli import main
from launch.jobs.records import job_of, job_records
from launch.runs.ledger import Run
from launch.sweeps.record import sweep_names

TINY = ["debug=tiny", "launcher=slurm"]
A = ["run", *TINY, "goal=tokens"]
B = ["run", *TINY, "goal=reconstruct"]
C = ["run", *TINY, "goal=tokenizer", "downsampling=8"]


def states(slurm):
    return {task: how for job in slurm.jobs.values() for task, how in job["tasks"].items()}


def live(slurm):
    return {task for task, how in states(slurm).items() if how in ("PENDING", "RUNNING")}


def submitted(root, *words):
    """Submit a sweep; its name."""
    before = set(sweep_names(root))
    assert main(list(words)) == 0
    (name,) = set(sweep_names(root)) - before
    return name


def record(root, sweep):
    (file,) = (root / "sweeps" / sweep).glob("submissions/*/submission.json")
    return file, json.loads(file.read_text())


def test_a_record_holds_the_jobs_of_its_own_submission_alone(root, slurm):
    submitted(root, *A)  # 100 tokenizer, 101 tokens, 102 report
    second = submitted(root, *B)  # 103 reconstruct, 104 report
    _, found = record(root, second)
    assert found["masters"] == ["103", "104"] and list(found["jobs"].values()) == ["103"]
    assert slurm.jobs["103"]["wait"] == {"103": "afterok:100"}
    assert slurm.jobs["104"]["wait"] == {"104": "afterany:100:103"}


def test_clearing_a_submission_that_was_killed_leaves_what_it_shared(root, slurm, capsys):
    submitted(root, *A)
    file, found = record(root, submitted(root, *B))
    file.write_text(json.dumps({**found, "state": "submitting"}))
    capsys.readouterr()
    submitted(root, *C)
    assert "was killed half-way; its jobs are cancelled" in capsys.readouterr().out
    assert live(slurm) == {"100", "101", "102", "105", "106"}


@pytest.mark.parametrize("after", [3, 4])
def test_a_submission_that_is_refused_cancels_its_own_alone(root, slurm, after):
    submitted(root, *A)
    slurm.write(fail_after=after)
    assert main(B) == 2
    assert live(slurm) == {"100", "101", "102"} and len(slurm.jobs) == after
    slurm.write(fail_after=-1)
    submitted(root, *C)
    assert {"100", "101", "102"} < live(slurm)


def test_an_array_that_was_never_recorded_is_seen(root, slurm, capsys):
    """The submission was killed while sbatch was at work, and sbatch ended later."""
    sweep = submitted(root, *A)
    file, found = record(root, sweep)
    file.write_text(json.dumps({**found, "state": "submitting", "masters": [], "jobs": {}}))
    for one in job_records(root):
        (root / "jobs" / one.stage / f"{one.signature}.json").unlink()
    submitted(root, *C)
    assert live(slurm) == {"103", "104"}
    slurm.set_state("101", "PENDING")  # it comes even later than the next submission
    assert main(["cancel", "--all"]) == 0
    assert live(slurm) == set() and "cancelled 3 jobs" in capsys.readouterr().out


def test_a_process_killed_within_sbatch_leaves_nothing_that_cancel_does_not_see(root, slurm):
    slurm.write(slow=60)
    process = subprocess.Popen(
        [sys.executable, "-m", "launch.cli", *A],
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    while not slurm.jobs:
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    slurm.write(slow=0)
    assert live(slurm) == {"100"} and job_records(root) == []
    assert main(["cancel", "--all"]) == 0
    assert live(slurm) == set()


def test_cancel_takes_own_jobs_and_leaves_what_others_wait_for(root, slurm, capsys):
    first, second = submitted(root, *A), submitted(root, *B)
    tokenizer = next(one for one in job_records(root) if one.stage == "tokenizer")
    capsys.readouterr()
    assert main(["cancel", second]) == 0
    said = capsys.readouterr().out
    assert "cancelled 2 jobs" in said and live(slurm) == {"100", "101", "102"}
    assert f"left tokenizer {tokenizer.signature} (job 100): {first} submitted it" in said

    assert main(B) == 0  # 105 reconstruct, 106 report
    assert main(["cancel", first]) == 0
    said = capsys.readouterr().out
    assert live(slurm) == {"100", "105", "106"}
    assert f"left tokenizer {tokenizer.signature} (job 100): {second} waits for it" in said
    assert main(["cancel", tokenizer.signature]) == 0
    assert "cancelled 0 jobs" in capsys.readouterr().out and "100" in live(slurm)

    assert main(["cancel", first, second]) == 0
    assert live(slurm) == set()


def test_a_sweep_whose_stages_are_all_queued_is_open_by_its_report(root, slurm, capsys):
    first = submitted(root, *A)
    second = submitted(root, "run", *TINY, "goal=tokenizer")
    assert slurm.jobs["103"]["wait"] == {"103": "afterany:100"} and len(slurm.jobs) == 4
    assert main(["cancel", first]) == 0
    assert live(slurm) == {"100", "103"} and f"{second} waits for it" in capsys.readouterr().out


def test_a_number_that_slurm_has_used_again_is_not_touched(root, slurm):
    sweep = submitted(root, *A)
    book = slurm.read()
    for number in ("100", "101"):
        book["jobs"][number]["name"] = "somebody's own"
    slurm.write(**book)
    assert main(["cancel", sweep]) == 0 and main(["cancel", "--all"]) == 0
    assert live(slurm) == {"100", "101"}
    assert main(["run", *TINY, "goal=tokenizer"]) == 0
    assert slurm.jobs["103"]["wait"] == {"103": ""}, "it is not taken for the tokenizer"


def test_a_submission_that_lost_its_lock_stops_and_takes_its_own_back(root, slurm, monkeypatch):
    submitted(root, *C)
    lost = "launch.jobs.submission_lock._is_lost"
    monkeypatch.setattr(lost, lambda folder: len(slurm.jobs) == 3)  # after its first array
    assert main(A) == 2
    assert live(slurm) == {"100", "101"} and len(slurm.jobs) == 3


def test_an_option_that_makes_jobs_unknown_is_refused(root, slurm, capsys):
    assert main([*C, "+launcher.additional.job_name=mine"]) == 2
    assert "launcher.additional.job_name: set by launcher=slurm itself" in capsys.readouterr().err


def test_a_time_limit_that_the_partition_does_not_allow_is_told_before(root, slurm, capsys):
    slurm.write(partitions="main*|30:00\nlong|2-00:00:00\nnone|infinite\n")
    assert main(C) == 2
    said = capsys.readouterr().err
    assert "partition main: its jobs may take 30 minutes, and 60 are asked for" in said
    assert said.count("\n") == 1 and slurm.jobs == {}
    report = "+launcher.stages.report={minutes: 40}"
    assert main([*C, "launcher.resources.minutes=30", report]) == 2
    assert main([*C, "launcher.partition=long", "launcher.resources.minutes=2881"]) == 2
    assert slurm.jobs == {}
    for words in (["launcher.partition='main,long'"], ["launcher.partition=none"]):
        assert main([*C, *words]) == 0
        assert main(["cancel", "--all"]) == 0


def test_job_of_the_latest_submission_counts(root, slurm):
    submitted(root, *C)
    (one,) = job_records(root)
    assert job_of(Run(root, one.stage, one.signature)) == one
    assert one.name.startswith(f"{one.sweep}:tokenizer:")
