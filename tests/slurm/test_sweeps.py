"""Sweeps on a real cluster: what is submitted, in which order, once."""

import csv
import json
import shutil
import subprocess
import time

import pytest

from launch.runs.ledger import all_runs
from tests.shared import ROOT
from tests.slurm.sweeping import LONG, SMALL, motiongpt, submission, submit, wait_until

pytestmark = pytest.mark.slurm
SWEEP = [*SMALL, "-m", "tasks=text_to_motion,all"]
JOBS = {
    "evaluator": 1,
    "classifier": 1,
    "tokenizer": 1,
    "reconstruct": 1,
    "tokens": 1,
    "pretrain": 1,
    "instruct": 2,
    "generate": 2,
    "evaluate": 2,
}


def counts(root):
    found = {}
    for run in all_runs(root):
        found[run.stage] = found.get(run.stage, 0) + run.is_finished
    return found


@pytest.fixture(scope="module")
def swept(cluster, tmp_path_factory):
    """The sweep of two mixes on one tokenizer, carried out; root and what `run` said."""
    root = tmp_path_factory.mktemp("swept")
    said = motiongpt(cluster, root, "run", *SWEEP, "--wait", timeout=600).stdout
    cluster.wait_for_jobs(submission(root)["masters"][-1:], {"COMPLETED"}, 60)
    return root, said


def test_each_stage_is_one_job_and_one_array(swept, cluster):
    root, said = swept
    assert counts(root) == JOBS
    record = submission(root)
    assert len(record["masters"]) == len(JOBS) + 1, "an array a stage, and the report"
    assert len(record["jobs"]) == sum(JOBS.values())
    assert all(not run.status["attempts"] for run in all_runs(root)), "each ran once"
    assert "2 of 2 experiments" in said


def test_no_stage_began_before_what_it_builds_on_had_ended(swept):
    root, _ = swept
    runs = {run.signature: run for run in all_runs(root)}
    checked = 0
    for run in runs.values():
        config = json.loads((run.folder / "config.json").read_text())
        for parent in config["parents"].values():
            assert runs[parent].status["finished"] <= run.status["started"]
            checked += 1
    one_parent = 3  # tokens, pretrain, reconstruct
    assert checked == one_parent + 2 * 2 + 2 * 2 + 2 * 4  # instruct, generate, evaluate


def test_again_nothing_is_submitted(swept, cluster):
    root, _ = swept
    before = sorted(root.glob("sweeps/*/submissions/*"))
    said = motiongpt(cluster, root, "run", *SWEEP).stdout
    assert "12 stages: 0 to run, 12 reused" in said and "nothing to submit" in said
    assert sorted(root.glob("sweeps/*/submissions/*")) == before


def test_exactly_what_is_missing_runs(swept, cluster):
    root, _ = swept
    lost = next(run for run in all_runs(root) if run.stage == "instruct")
    shutil.rmtree(lost.folder)
    before = {run.signature: run.status["finished"] for run in all_runs(root)}
    said = motiongpt(cluster, root, "run", *SWEEP, "--wait").stdout
    assert "12 stages: 1 to run, 11 reused" in said and "submitted 1 jobs in 1 arrays" in said
    assert counts(root) == JOBS
    after = {run.signature: run.status["finished"] for run in all_runs(root)}
    assert {one for one in after if after[one] != before.get(one)} == {lost.signature}


def test_the_report_is_a_job_of_its_own(swept, cluster):
    root, _ = swept
    (table,) = root.glob("sweeps/*/table.csv")
    rows = list(csv.DictReader(table.open()))
    assert [row["tasks"] for row in rows] == ["text_to_motion", "all"]
    assert all(float(row["reconstruction/model/mpjpe"]) > 0 for row in rows)


def test_two_sweeps_at_once_share_a_stage_and_run_it_once(cluster, tmp_path):
    first = submit(cluster, tmp_path, *LONG[:-3], "goal=tokens", *LONG[-2:])
    said = motiongpt(
        cluster, tmp_path, "run", *LONG[:-3], "goal=reconstruct", *LONG[-2:], "--wait"
    ).stdout
    assert "submitted 1 jobs in 1 arrays" in said and "1 were submitted before" in said
    cluster.wait_for_jobs(first, {"COMPLETED"}, 120)
    assert counts(tmp_path) == {"tokenizer": 1, "tokens": 1, "reconstruct": 1}


def test_jobs_run_the_code_as_it_was_when_they_were_submitted(cluster, tmp_path):
    """A change after submission reaches no job that waits."""
    copy = tmp_path / "checkout"
    for part in ("motiongpt", "evaluation", "launch", "conf", "experiments"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    blocker = cluster.run(
        *("sbatch", "--parsable", "--nodes=2", "--exclusive", "--output=/dev/null"),
        *("--wrap", "sleep 600"),
    ).strip()
    motiongpt(
        cluster,
        tmp_path / "root",
        "run",
        *SMALL,
        "goal=tokenizer",
        PYTHONPATH=str(copy),
        PYTHONSAFEPATH="1",
    )
    stage = copy / "motiongpt/training/tokenizer_stage.py"
    stage.write_text("raise SystemExit('the file that was edited while the job waited')\n")
    cluster.run("scancel", blocker)
    wait_until(lambda: counts(tmp_path / "root") == {"tokenizer": 1}, 120)
    (source,) = (tmp_path / "root").glob("code/*/source.json")
    assert "git_commit" in json.loads(source.read_text())
    assert (source.parent / "changes.diff").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["launcher.partition=nowhere"], "invalid partition"),
        (["launcher.partition=brief"], "partition brief: its jobs may take 30 minutes"),
        (["launcher.resources.gpus=8"], "node configuration is not available"),
        (["launcher.resources.nodes=2", "launcher.resources.processes=3"], "can't be shared by 6"),
        (["+launcher.stages.tokeniser={gpus: 1}"], "launcher.stages.tokeniser: no such stage"),
    ],
)
def test_what_cannot_be_had_is_one_line_and_nothing_is_submitted(cluster, tmp_path, words, said):
    done = motiongpt(cluster, tmp_path, "run", *SMALL, "goal=tokenizer", *words, check=False)
    assert done.returncode == 2
    lines = [line for line in done.stderr.splitlines() if "clip/s]" not in line]
    assert said in lines[-1] and len(list(filter(None, lines))) == 1, done.stderr
    assert cluster.run("squeue", "--noheader").strip() == ""
    assert not list(tmp_path.glob("sweeps/*/submissions/*"))


@pytest.mark.long
def test_two_hundred_points_are_one_array_a_stage(cluster, tmp_path):
    blocker = cluster.run(
        *("sbatch", "--parsable", "--nodes=2", "--exclusive", "--output=/dev/null"),
        *("--wrap", "sleep 900"),
    ).strip()
    rates = ",".join(f"{number}e-5" for number in range(1, 51))
    words = ["downsampling=1,2,4,8", f"stage.tokenizer.learning_rate={rates}", "goal=tokens"]
    started = time.monotonic()
    said = motiongpt(cluster, tmp_path, "run", *SMALL, "-m", *words).stdout
    print(f"200 points planned and submitted in {time.monotonic() - started:.1f} s")
    assert "submitted 400 jobs in 2 arrays" in said
    assert len(submission(tmp_path)["masters"]) == 3
    queue = cluster.run("squeue", "--noheader", "--array", "--format=%i %E").splitlines()
    waits = dict(line.split(" ", 1) for line in queue if line.split()[0] != blocker)
    jobs = submission(tmp_path)["jobs"]
    assert len(waits) == 401 and set(jobs.values()) < set(waits)
    assert sum("afterok" in wait for wait in waits.values()) == 200
    motiongpt(cluster, tmp_path, "cancel", "--all")
    cluster.run("scancel", blocker)
    wait_until(lambda: not cluster.run("squeue", "--noheader").strip(), 120)


def test_without_sbatch_it_is_one_line(cluster, tmp_path):
    done = motiongpt(
        cluster, tmp_path, "run", *SMALL, "goal=tokenizer", check=False, PATH="/nonexistent"
    )
    assert done.returncode == 2 and "sbatch: no such command here" in done.stderr


def test_a_full_disk_is_one_line_and_nothing_is_half_submitted(cluster, tmp_path):
    small = tmp_path / "disk"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(small)], capture_output=True
    )
    if mounted.returncode:
        pytest.skip("mounting a small file system is not allowed here")
    try:
        (small / "filler").write_bytes(b"0" * 2_500_000)
        done = motiongpt(cluster, small, "run", *SMALL, "goal=tokenizer", check=False)
        assert done.returncode != 0 and "No space left on device" in done.stderr
        assert done.stderr.strip().splitlines()[-1].startswith("motiongpt run:")
        assert cluster.run("squeue", "--noheader").strip() == ""
    finally:
        subprocess.run(["umount", str(small)], check=True)
