import os
import socket
import subprocess
import sys
import threading
import time

import psutil
import pytest

from launch.runs import attempts, owner
from launch.runs.attempts import Superseded, claimed
from launch.runs.ledger import Run, all_runs, find_run
from motiongpt.errors import UserError


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path, "tokenizer", "abcdef0123456789")


def quiet(line):
    pass


def die_holding(run, code=""):
    """Another process claims the run and is killed."""
    program = (
        "import os; from pathlib import Path\n"
        "from launch.runs.ledger import Run; from launch.runs.attempts import claimed\n"
        f"run = Run(Path({str(run.root)!r}), {run.stage!r}, {run.signature!r})\n"
        f"with claimed(run, print) as attempt:\n    {code or 'pass'}\n    os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 9


def test_a_process_that_fails_lets_the_first_one_end_before_it(run, monkeypatch):
    monkeypatch.setattr(attempts, "FIRST_SECONDS", 0.5)
    program = "import sys, time; print(flush=True); sys.stdin.read(); time.sleep(0.4)"
    first = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with first:
        born = psutil.Process(first.pid).create_time()
        run.attempts.mkdir(parents=True)
        owner.Owner(socket.gethostname(), first.pid, born).write(run.attempts)
        began = time.monotonic()
        attempts.wait_for_first_process(run.attempts)
        assert time.monotonic() - began >= 0.5, "it waits for us, and not we for ever for it"
        monkeypatch.setattr(attempts, "FIRST_SECONDS", 60.0)
        first.stdin.close()
        reaper = threading.Thread(target=first.wait)
        reaper.start()
        attempts.wait_for_first_process(run.attempts)
        assert not psutil.pid_exists(first.pid)
        reaper.join()
    attempts.wait_for_first_process(run.root)  # nobody to wait for


def test_a_run_goes_from_absent_to_finished(run):
    assert run.state == "absent"
    with claimed(run, quiet) as attempt:
        assert run.state == "running" and not run.folder.exists()
        (attempt.folder / "model").mkdir()
        attempt.publish({"loss": 0.5})
    assert run.state == "finished" and run.metrics == {"loss": 0.5}
    assert (run.folder / "model").is_dir() and not run.attempts.exists()
    assert all_runs(run.root) == [run] and find_run(run.root, "abcd") == run
    with claimed(run, quiet) as again:
        assert again is None


def test_a_dead_writer_reads_as_interrupted_and_is_taken_over_at_once(run):
    die_holding(run, "(attempt.folder / 'last.ckpt').write_text('step 7')")
    assert run.status["state"] == "running" and run.state == "interrupted"
    with claimed(run, quiet) as attempt:
        assert attempt.number == 2 and (attempt.folder / "last.ckpt").read_text() == "step 7"
        assert [one["attempt"] for one in run.status["attempts"]] == [1]
        attempt.publish({})
    assert (run.folder / "last.ckpt").read_text() == "step 7"


def test_the_second_writer_waits_for_the_first(run):
    program = (
        "import time; from pathlib import Path\n"
        "from launch.runs.ledger import Run; from launch.runs.attempts import claimed\n"
        f"run = Run(Path({str(run.root)!r}), {run.stage!r}, {run.signature!r})\n"
        "with claimed(run, print) as attempt:\n"
        "    print('mine', flush=True); time.sleep(2); attempt.publish({'by': 1.0})"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"mine\n"
        said = []
        with claimed(run, said.append) as attempt:
            assert attempt is None and run.metrics == {"by": 1.0}
    assert "waiting: process" in said[0]


def test_a_writer_of_another_node_is_gone_after_its_silence(run, monkeypatch):
    with claimed(run, quiet) as attempt:
        elsewhere = owner.Owner("elsewhere", 1, 0.0, job="7", restarts=0)
        elsewhere.write(attempt.folder)
        assert run.state == "running"
        same_job = owner.Owner("here", 2, 0.0, job="7", restarts=1)
        assert not owner.is_alive(elsewhere, attempt.folder, same_job), "SLURM requeued it"
        old = attempt.folder.stat().st_mtime - 2 * owner.STALE_SECONDS
        os.utime(attempt.folder / owner.HEARTBEAT, (old, old))
        assert run.state == "interrupted"


def test_a_writer_that_wakes_up_late_is_fenced(run, monkeypatch):
    monkeypatch.setattr(owner, "STALE_SECONDS", -1.0)
    with claimed(run, quiet) as slept:
        (slept.folder / "last.ckpt").write_text("step 1")
        with claimed(run, quiet) as later:
            assert slept.is_superseded and not later.is_superseded
            (slept.folder / "last.ckpt").unlink()
            (slept.folder / "last.ckpt").write_text("written after waking up")
            with pytest.raises(Superseded):
                slept.publish({"by": 1.0})
            later.publish({"by": 2.0})
        with pytest.raises((Superseded, OSError)):
            slept.publish({"by": 1.0})
    assert run.metrics == {"by": 2.0}
    assert (run.folder / "last.ckpt").read_text() == "step 1"


def test_an_attempt_that_died_while_taking_over_is_no_source(run):
    die_holding(run, "(attempt.folder / 'last.ckpt').write_text('step 7')")
    half = run.attempts / "0002"
    half.mkdir()
    owner.Owner("elsewhere", 1, 0.0).write(half)
    os.utime(half, (0, 0))
    with claimed(run, quiet) as attempt:
        assert attempt.number == 3 and (attempt.folder / "last.ckpt").read_text() == "step 7"


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "attempts").write_text("a file in the way")
    with (
        pytest.raises(UserError, match=r"choose another paths\.root"),
        claimed(Run(tmp_path, "tokenizer", "aa"), quiet),
    ):
        pass


def test_an_unknown_signature_is_one_line(run):
    with pytest.raises(UserError, match="no such run"):
        find_run(run.root, "ffff")
