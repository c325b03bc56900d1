"""Sweeps in processes of this machine, found and stopped; and what a terminal's end does."""

import signal
import subprocess
import sys

import psutil
import pytest

from launch.jobs.process_jobs import ProcessJobs, process_id
from launch.runs.owner import Owner
from launch.sweeps.cancelling import chosen_jobs
from launch.sweeps.record import make_sweep
from motiongpt.errors import UserError
from motiongpt.training.stopping import Interrupted, StopRequest
from tests.unit.plans import planned


@pytest.fixture
def sleeper():
    """Starts processes that do nothing; gives their owners."""
    processes = []

    def start(job=""):
        one = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        processes.append(one)
        host, born = Owner.this_process().host, psutil.Process(one.pid).create_time()
        return one, Owner(host, one.pid, born, job)

    yield start
    for one in processes:
        one.kill()
        one.wait()


def begin(run, owner):
    """An attempt of another process."""
    folder = run.attempts / "0001"
    owner.write(folder)
    (folder / "heartbeat").touch()
    (folder / "status.json").write_text('{"state": "running"}')


def test_a_sweep_is_stopped_by_its_launcher_and_no_other_sweep_is(tmp_path, sleeper):
    (mine, launcher), (other, stranger) = sleeper(), sleeper()
    worker, owner = sleeper(f"{process_id(launcher)}:tokenizer-a")
    launcher.write(tmp_path / "sweeps/mine-1/submissions/0001")
    stranger.write(tmp_path / "sweeps/other-2/submissions/0001")
    begin(planned(tmp_path, "tokenizer", "a").run, owner)
    begin(planned(tmp_path, "tokens", "b").run, stranger)
    found = {(one.stage, one.sweep) for one, _ in ProcessJobs.live_jobs(tmp_path)}
    assert found == {
        ("launcher", "mine-1"),
        ("launcher", "other-2"),
        ("tokenizer", "mine-1"),
        ("tokens", "other-2"),
    }
    jobs = [one for one, _ in ProcessJobs.live_jobs(tmp_path) if one.sweep == "mine-1"]
    assert len(ProcessJobs.job_states(jobs)) == 2
    ProcessJobs.cancel(jobs)
    assert mine.wait(20) == -signal.SIGTERM
    assert worker.poll() is None, "the launcher passes it on"
    assert other.poll() is None
    (stage,) = chosen_jobs(tmp_path, ["a"]).jobs
    ProcessJobs.cancel([stage])
    assert worker.wait(20) == -signal.SIGTERM
    with pytest.raises(UserError, match="neither a sweep nor a signature"):
        chosen_jobs(tmp_path, ["c"])


def test_a_job_of_slurm_on_this_host_is_slurms(tmp_path, sleeper):
    _, owner = sleeper("12_3")
    begin(planned(tmp_path, "tokenizer", "a").run, owner)
    assert ProcessJobs.live_jobs(tmp_path) == []


def test_what_runs_on_another_machine_is_named_and_left(tmp_path):
    plan = [planned(tmp_path, "tokenizer", "a"), planned(tmp_path, "tokenizer", "b")]
    sweep = make_sweep(tmp_path, ["run"], [[], []], [plan[:1], plan[1:]])
    sweep.write()
    begin(plan[0].run, Owner("elsewhere", 1, 0.0))
    begin(plan[1].run, Owner("node1", 1, 0.0, "12_3"))
    found = chosen_jobs(tmp_path, [sweep.name])
    assert found.jobs == []
    assert found.left == ["left tokenizer a: it runs on elsewhere, cancel it there"]


@pytest.mark.parametrize("ignored", [False, True])
def test_a_terminal_that_closes_asks_to_stop_unless_nohup_says_otherwise(ignored):
    former = signal.signal(signal.SIGHUP, signal.SIG_IGN if ignored else signal.SIG_DFL)
    try:
        with StopRequest().listening() as stop:
            try:
                signal.raise_signal(signal.SIGHUP)
            except Interrupted:
                assert not ignored
        assert stop.requested is not ignored
        assert signal.getsignal(signal.SIGHUP) == (signal.SIG_IGN if ignored else signal.SIG_DFL)
    finally:
        signal.signal(signal.SIGHUP, former)
