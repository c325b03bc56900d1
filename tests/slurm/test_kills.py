"""Whatever kills a job, its run ends with the metrics of an undisturbed one."""

import json
import os
import signal
import time

import psutil
import pytest

from launch.runs.ledger import all_runs
from tests.slurm.sweeping import (
    LONG,
    checkpointed,
    finished,
    histories,
    motiongpt,
    only_run,
    submit,
    wait_until,
)

pytestmark = pytest.mark.slurm


@pytest.fixture(scope="module")
def undisturbed(cluster, tmp_path_factory):
    """Final metrics of the same stage, run in one go."""
    root = tmp_path_factory.mktemp("undisturbed")
    words = [word for word in LONG if not word.startswith("launcher")]
    motiongpt(cluster, root, "run", *words)
    return only_run(root).metrics


def begin(cluster, root, *words):
    """Submit the tokenizer and wait for its first checkpoint; the job's id."""
    job = submit(cluster, root, *LONG, *words)[0]
    wait_until(lambda: checkpointed(root), 120, "a checkpoint")
    return job


def trained(root):
    """Steps that the progress file tells of, 0 before there is one."""
    return max((run.progress.get("step", 0) for run in all_runs(root)), default=0)


def check(root, undisturbed, attempts=2, at_least=50):
    """It ended as it should, and went on from a checkpoint each time."""
    run = finished(root)
    assert run.metrics == undisturbed
    began = histories(run)
    print("attempts began at steps", began)
    assert len(began) == attempts and began[0] == 0 and began == sorted(began)
    assert all(step >= at_least for step in began[1:]), "it began anew"
    return run, began


@pytest.mark.long
def test_preempted_it_is_requeued_and_goes_on(cluster, tmp_path, undisturbed):
    # No checkpoint but the one of the step at which the signal comes.
    never = "stage.tokenizer.schedule.checkpoint_every=1000000"
    submit(cluster, tmp_path, *LONG, never, "launcher.partition=low")
    wait_until(lambda: trained(tmp_path) >= 20, 120, "steps")
    blocker = cluster.run(
        *("sbatch", "--parsable", "--partition=main", "--nodes=2", "--exclusive"),
        *("--output=/dev/null", "--wrap", "sleep 3"),
    ).strip()
    check(tmp_path, undisturbed, at_least=20)
    assert blocker


@pytest.mark.long
def test_at_its_time_limit_it_is_requeued_and_goes_on(cluster, tmp_path):
    # One minute is the shortest limit, and SLURM looks at limits every 30 s.
    longer = [*LONG[:-2], "stage.tokenizer.schedule.steps=2500", LONG[-1]]
    alone = [word for word in longer if not word.startswith("launcher")]
    job = submit(
        cluster,
        tmp_path / "limited",
        *longer,
        "launcher.resources.minutes=1",
        "launcher.signal_seconds=40",
    )[0]
    motiongpt(cluster, tmp_path / "alone", "run", *alone)
    run = finished(tmp_path / "limited", seconds=600)
    began = histories(run)
    print("attempts began at steps", began)
    assert run.metrics == only_run(tmp_path / "alone").metrics
    assert len(began) >= 2 and began == sorted(set(began)) and run.status["job"] == job


def test_cancelled_it_keeps_its_checkpoint_and_resume_goes_on(cluster, tmp_path, undisturbed):
    begin(cluster, tmp_path)
    run = only_run(tmp_path)
    said = motiongpt(cluster, tmp_path, "cancel", run.signature).stdout
    assert "cancelled 1 jobs" in said
    wait_until(lambda: only_run(tmp_path).state == "interrupted", 60, "stopped")
    wait_until(
        lambda: " cancelled " in motiongpt(cluster, tmp_path, "status").stdout, 60, "cancelled"
    )
    motiongpt(cluster, tmp_path, "resume")
    check(tmp_path, undisturbed)


@pytest.mark.long
def test_a_killed_task_fails_its_children_never_start_and_resume_goes_on(
    cluster, tmp_path, undisturbed
):
    words = [word for word in LONG if not word.startswith("goal=")]
    masters = submit(cluster, tmp_path, *words, "goal=tokens")
    wait_until(lambda: checkpointed(tmp_path), 120, "a checkpoint")
    os.kill(only_run(tmp_path).status["process"], signal.SIGKILL)
    cluster.wait_for_jobs(masters[:1], {"FAILED"}, 60)
    cluster.wait_for_jobs(masters[1:2], {"CANCELLED"}, 60)
    cluster.wait_for_jobs(masters[-1:], {"COMPLETED"}, 120)
    (report,) = tmp_path.glob("sweeps/*/report.txt")
    text = report.read_text()
    assert (
        "missing: " in text and "tokenizer" in text and "is failed on" in text and "    | " in text
    )
    assert {run.stage for run in all_runs(tmp_path)} == {"tokenizer"}
    said = motiongpt(cluster, tmp_path, "resume").stdout
    assert "submitted 2 jobs" in said
    finished(tmp_path, "tokens")
    check(tmp_path, undisturbed)


@pytest.mark.long
def test_a_node_that_dies_loses_the_job_to_another(cluster, tmp_path, undisturbed):
    job = begin(cluster, tmp_path)
    node = only_run(tmp_path).status["host"]
    cluster.kill_node(node)
    try:
        run, began = check(tmp_path, undisturbed)
        assert run.status["job"] == job and run.status["host"] != node
        assert began[1] % 50 == 0, "the last checkpoint before the power cut"
    finally:
        cluster.revive_node(node)


@pytest.mark.long
def test_a_node_that_hangs_and_wakes_up_is_fenced(cluster, tmp_path, undisturbed):
    begin(cluster, tmp_path)
    run = only_run(tmp_path)
    node, old = run.status["host"], run.status["process"]
    cluster.hang_node(node)
    wait_until(lambda: run.status.get("host") not in (None, node), 90, "another node")
    assert psutil.pid_exists(old)
    cluster.wake_jobs(node)  # SLURM does not reach them: both copies train now
    wait_until(lambda: not psutil.pid_exists(old), 60, "the old copy has ended by itself")
    run, _ = check(tmp_path, undisturbed)
    assert run.status["host"] != node and not run.attempts.exists()
    cluster.wake_node(node)


@pytest.mark.long
def test_the_controller_may_restart(cluster, tmp_path, undisturbed):
    begin(cluster, tmp_path)
    cluster.kill_controller()
    time.sleep(2)
    cluster.start_controller()
    check(tmp_path, undisturbed, attempts=1)


def test_what_fails_by_its_own_fault_is_not_tried_again(cluster, tmp_path):
    words = [word for word in LONG if not word.startswith("goal=")]
    masters = submit(
        cluster, tmp_path, *words, "goal=tokens", "stage.tokenizer.losses.reconstruction=nothing"
    )
    cluster.wait_for_jobs(masters[:1], {"FAILED"}, 90)
    cluster.wait_for_jobs(masters[-1:], {"COMPLETED"}, 120)
    assert [one["attempt"] for one in only_run(tmp_path).status["attempts"]] == []
    report = json.loads(next(tmp_path.glob("sweeps/*/report.json")).read_text())
    (missing,) = report["missing"]
    assert missing["stage"] == "tokenizer" and "nothing" in missing["why"] and missing["lines"]
