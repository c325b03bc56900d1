import subprocess
import sys

import pytest

from launch.ledger import Run, all_runs, finished_metrics
from motiongpt.errors import UserError


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path, "tokenizer", "abcdef0123456789")


def test_a_run_goes_from_absent_to_finished(run):
    assert run.state == "absent"
    with run.locked():
        run.set_state("running", started=1.0)
        assert run.state == "running"
        finished_metrics(run, {"loss": 0.5})
    assert run.state == "finished" and run.metrics == {"loss": 0.5}
    assert run.status["started"] == 1.0
    assert all_runs(run.root) == [run]


def test_a_dead_writer_reads_as_interrupted(run):
    code = (
        "import os, sys; from pathlib import Path; from launch.ledger import Run\n"
        f"run = Run(Path({str(run.root)!r}), 'tokenizer', {run.signature!r})\n"
        "with run.locked():\n    run.set_state('running')\n    os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 9
    assert run.status["state"] == "running" and run.state == "interrupted"


def test_two_writers_are_refused(run):
    with run.locked():
        run.set_state("running")
        with pytest.raises(UserError, match="is writing this run"), run.locked():
            pass


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "runs").write_text("a file in the way")
    with (
        pytest.raises(UserError, match="choose another paths.root"),
        Run(tmp_path, "tokenizer", "aa").locked(),
    ):
        pass
