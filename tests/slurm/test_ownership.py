"""Sweeps that share stages, killed and cancelled on a real cluster: nobody else's job is touched."""

import os
import signal
import subprocess

import pytest

from launch.runs.ledger import all_runs
from launch.sweeps.record import sweep_names
from tests.slurm.sweeping import COMMAND, SMALL, motiongpt, submission, submit, wait_until

pytestmark = pytest.mark.slurm
TOKENIZER = "stage.tokenizer.schedule.steps=60"
A = [*SMALL, TOKENIZER, "goal=tokens"]
B = [*SMALL, TOKENIZER, "goal=reconstruct"]
C = [*SMALL, "goal=tokenizer", "downsampling=8"]


@pytest.fixture
def blocked(cluster):
    """All nodes are taken, so that jobs wait; called, it sets them free."""
    blocker = cluster.run(
        *("sbatch", "--parsable", "--nodes=2", "--exclusive", "--output=/dev/null"),
        *("--wrap", "sleep 900"),
    ).strip()
    cluster.wait_for_jobs([blocker], {"RUNNING"})
    return lambda: cluster.run("scancel", blocker)


def jobs_of(cluster, sweep):
    """Ids in the queue of a sweep's jobs."""
    lines = cluster.run("squeue", "--noheader", "--array", "--format=%i %j").splitlines()
    return {line.split()[0] for line in lines if line.split()[1].startswith(f"{sweep}:")}


def named(root, words, cluster):
    """Submit; the name of the sweep."""
    before = set(sweep_names(root))
    submit(cluster, root, *words)
    (name,) = set(sweep_names(root)) - before
    return name


def killed_while_submitting(cluster, root, words):
    """kill -9 while sbatch is at work on the first array; sbatch itself goes on, and ends."""
    slow = root.parent / "slow"
    slow.mkdir()
    script = slow / "sbatch"
    real = cluster.folder / "bin" / "sbatch"
    script.write_text(
        f'#!/bin/sh\ncase "$*" in *--version*|*--test-only*) exec "{real}" "$@";; esac\n'
        f'touch "{slow}/begun"; sleep 2; "{real}" "$@"; touch "{slow}/ended"\n'
    )
    script.chmod(0o755)
    environment = {**os.environ, **cluster.environment, "OMP_NUM_THREADS": "1"}
    environment["PATH"] = f"{slow}:{environment['PATH']}"
    process = subprocess.Popen(
        [*COMMAND, "run", *words, f"paths.root={root}"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_until((slow / "begun").exists)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return slow / "ended"


def test_what_was_killed_between_sbatch_and_its_record_is_found(cluster, tmp_path, blocked):
    root = tmp_path / "root"
    first = named(root, A, cluster)
    shared = jobs_of(cluster, first)
    assert len(shared) == 3
    ended = killed_while_submitting(cluster, root, B)
    wait_until(ended.exists)
    (second,) = set(sweep_names(root)) - {first}
    (lost,) = jobs_of(cluster, second)
    said = motiongpt(cluster, root, "run", *C).stdout
    assert "was killed half-way; its jobs are cancelled" in said
    assert jobs_of(cluster, first) == shared and not jobs_of(cluster, second)
    blocked()
    cluster.wait_for_jobs(shared, {"COMPLETED"}, 180)
    assert {run.stage for run in all_runs(root)} >= {"tokenizer", "tokens"} and lost


def test_cancel_all_sees_an_array_that_comes_late(cluster, tmp_path, blocked):
    ended = killed_while_submitting(cluster, tmp_path / "root", B)
    wait_until(ended.exists)
    (sweep,) = sweep_names(tmp_path / "root")
    assert len(jobs_of(cluster, sweep)) == 1
    assert "cancelled 1 jobs" in motiongpt(cluster, tmp_path / "root", "cancel", "--all").stdout
    assert not jobs_of(cluster, sweep)


def test_cancel_leaves_the_stage_that_another_sweep_waits_for(cluster, tmp_path, blocked):
    first, second = named(tmp_path, A, cluster), named(tmp_path, B, cluster)
    assert len(submission(tmp_path, 1)["masters"]) == 2 or len(jobs_of(cluster, second)) == 2
    own = jobs_of(cluster, first)
    said = motiongpt(cluster, tmp_path, "cancel", second).stdout
    assert "cancelled 2 jobs" in said and f"{first} submitted it" in said
    assert jobs_of(cluster, first) == own and not jobs_of(cluster, second)

    motiongpt(cluster, tmp_path, "run", *B)
    said = motiongpt(cluster, tmp_path, "cancel", first).stdout
    assert "cancelled 2 jobs" in said and f"{second} waits for it" in said
    assert len(jobs_of(cluster, first)) == 1 and len(jobs_of(cluster, second)) == 2
    waiting = jobs_of(cluster, second)
    blocked()
    cluster.wait_for_jobs(waiting, {"COMPLETED"}, 180)
    assert {run.stage for run in all_runs(tmp_path) if run.is_finished} == {
        "tokenizer",
        "reconstruct",
    }


@pytest.mark.long
def test_a_root_of_any_name(cluster, tmp_path):
    name = "x'$(touch PWNED)' ,=()ü人 %j %A\\%t"
    root = tmp_path / name
    variables = {"MOTIONGPT_ROOT": str(root), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment = {**os.environ, **cluster.environment, **variables, "OMP_NUM_THREADS": "1"}

    def run(*words):
        return subprocess.run(
            [*COMMAND, *words], env=environment, cwd=tmp_path, capture_output=True, text=True
        )

    words = [*SMALL, "-m", "downsampling=2,4", "goal=tokenizer", "--wait"]
    done = run("run", *words)
    assert done.returncode == 0 and "2 of 2 experiments" in done.stdout, done.stderr
    assert all(one.is_finished for one in all_runs(root))
    assert len(list(root.glob("sweeps/*/submissions/0001/*_log.out"))) >= 2
    done = run("resume", "--wait")
    assert done.returncode == 0 and "0 to run, 2 reused" in done.stdout, done.stderr
    assert not list(tmp_path.rglob("PWNED"))
    assert {file.name for file in tmp_path.iterdir()} <= {name, "cache"}
