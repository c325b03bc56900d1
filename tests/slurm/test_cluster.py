"""The cluster of the tests does what the tests of sweeps rely on; and what SLURM says, verbatim."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from submitit.helpers import clean_env

from tests.shared import ROOT
from tests.slurm.cluster import Cluster, CommandFailed
from tests.slurm.nodes import Node

pytestmark = pytest.mark.slurm


def sbatch(cluster: Cluster, command: str, *options: str, output: Path | str = "/dev/null") -> str:
    words = ["--parsable", f"--output={output}", "--open-mode=append", *options]
    return cluster.run("sbatch", *words, f"--wrap={command}").strip()


def until(holds: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.1)


def words_in(file: Path) -> list[str]:
    return file.read_text().split() if file.exists() else []


def accounts(cluster: Cluster, *jobs: str) -> dict[str, str]:
    """State and exit code of jobs by sacct; all runs of a requeued job."""
    columns = ["--format=jobid,state%30,exitcode", "--jobs", ",".join(jobs)]
    listed = cluster.run("sacct", "-X", "--noheader", "--parsable2", "--duplicates", *columns)
    found: dict[str, str] = {}
    for line in listed.splitlines():
        job, state, code = line.split("|")
        found[job] = f"{found[job]}, {state} {code}" if job in found else f"{state} {code}"
    return found


def test_elements_wait_for_elements_of_another_array(cluster: Cluster, tmp_path: Path) -> None:
    parents = sbatch(cluster, "sleep 1; exit $SLURM_ARRAY_TASK_ID", "--array=0-1", "--hold")
    order = tmp_path / "order"
    children = sbatch(
        cluster,
        "echo $SLURM_ARRAY_TASK_ID",
        *("--array=0-4", "--hold", "--kill-on-invalid-dep=yes"),
        output=order,
    )
    for elements, parent in (("0", 0), ("[1-2]", 1), ("3", 0)):
        edge = f"dependency=afterok:{parents}_{parent}"
        cluster.run("scontrol", "update", f"jobid={children}_{elements}", edge)
    # Not a circle of elements, but one of arrays, which SLURM takes for the same.
    with pytest.raises(CommandFailed, match=r"Circular job dependency"):
        edge = f"dependency=afterok:{children}_0"
        cluster.run("scontrol", "update", f"jobid={parents}_1", edge)
    cluster.run("scontrol", "release", children)
    assert cluster.wait_for_jobs([f"{children}_4"]) == {f"{children}_4": "COMPLETED"}
    assert words_in(order) == ["4"], "the others wait"
    cluster.run("scontrol", "release", parents)
    ended = cluster.wait_for_jobs([parents, children])
    assert ended == {
        f"{parents}_0": "COMPLETED",
        f"{parents}_1": "FAILED",
        f"{children}_0": "COMPLETED",
        f"{children}_1": "CANCELLED",
        f"{children}_2": "CANCELLED",
        f"{children}_3": "COMPLETED",
        f"{children}_4": "COMPLETED",
    }
    assert sorted(words_in(order)) == ["0", "3", "4"]


def test_without_the_flag_a_child_of_a_failed_job_waits_for_ever(cluster: Cluster) -> None:
    parent = sbatch(cluster, "exit 1")
    cluster.wait_for_jobs([parent], {"FAILED"})
    child = sbatch(cluster, "true", f"--dependency=afterok:{parent}")
    reason = ["squeue", "--noheader", "--format=%T %r", f"--jobs={child}"]
    until(lambda: cluster.run(*reason).split() == ["PENDING", "DependencyNeverSatisfied"])


@pytest.mark.long
def test_a_power_cut_requeues_the_job_elsewhere(cluster: Cluster, tmp_path: Path) -> None:
    starts = tmp_path / "starts"
    job = sbatch(cluster, "echo $SLURMD_NODENAME; sleep 300", "--requeue", output=starts)
    until(lambda: words_in(starts))
    (first,) = words_in(starts)
    assert "sleep" in {process.name() for process in cluster.nodes[first].processes()}
    cut = time.monotonic()
    cluster.kill_node(first)
    assert cluster.nodes[first].processes() == []
    until(lambda: len(words_in(starts)) == 2, 60)
    print(f"started again {time.monotonic() - cut:.1f} s after the power cut")
    assert set(words_in(starts)) == {"node1", "node2"}
    cluster.revive_node(first)
    cluster.run("scancel", job)
    ended = f"NODE_FAIL 0:0, CANCELLED by {os.getuid()} 0:0"
    until(lambda: accounts(cluster, job) == {job: ended})


@pytest.mark.long
def test_a_job_of_low_is_told_before_main_takes_its_place(cluster: Cluster, tmp_path: Path) -> None:
    said = tmp_path / "said"
    task = "trap 'echo USR2' USR2; echo start; while true; do sleep 0.1; done"
    options = ["--partition=low", "--nodes=2", "--exclusive", "--signal=USR2@60"]
    low = sbatch(cluster, f'srun --ntasks=1 --nodes=1 sh -c "{task}"', *options, output=said)
    until(lambda: "start" in words_in(said))
    main = sbatch(cluster, f"echo main >> {said}", output="/dev/null")
    cluster.wait_for_jobs([main], {"COMPLETED"})
    cluster.wait_for_jobs([low], {"RUNNING"})
    until(lambda: words_in(said).count("start") == 2)
    told = [word for word in words_in(said) if word in {"start", "USR2", "main"}]
    assert told == ["start", "USR2", "main", "start"]
    until(lambda: accounts(cluster, low) == {low: "PREEMPTED 0:0, RUNNING 0:0"})


@pytest.mark.long
def test_a_node_that_hangs_leaves_two_copies_of_a_job(cluster: Cluster, tmp_path: Path) -> None:
    beats = tmp_path / "beats"
    loop = "while true; do echo $SLURMD_NODENAME; sleep 0.2; done"
    job = sbatch(cluster, loop, "--requeue", output=beats)
    until(lambda: words_in(beats))
    first = words_in(beats)[0]
    (other,) = set(cluster.nodes) - {first}
    cluster.hang_node(first)
    until(lambda: other in words_in(beats), 60)
    cluster.wake_jobs(first)  # slurmd still hangs: nothing tells the old copy
    before = len(words_in(beats))
    until(lambda: {first, other} <= set(words_in(beats)[before:]))
    cluster.wake_node(first)
    names = {"sleep", "slurm_script"}
    until(lambda: not names & {each.name() for each in cluster.nodes[first].processes()})
    assert cluster.wait_for_jobs([job], {"RUNNING"}) == {job: "RUNNING"}, "the new copy lives on"


@pytest.mark.long
def test_a_job_outlives_the_controller(cluster: Cluster) -> None:
    job = sbatch(cluster, "sleep 9")
    cluster.wait_for_jobs([job], {"RUNNING"})
    time.sleep(6)  # the controller saves its state every 5 s
    cluster.kill_controller()
    with pytest.raises(CommandFailed):
        cluster.run("scontrol", "ping")
    cluster.start_controller()
    assert cluster.wait_for_jobs([job]) == {job: "COMPLETED"}


def test_how_a_job_ended_is_in_the_accounts(cluster: Cluster) -> None:
    good, bad = (sbatch(cluster, f"exit {status}") for status in (0, 3))
    killed = sbatch(cluster, "kill -KILL $$")
    cancelled = sbatch(cluster, "sleep 300")
    cluster.wait_for_jobs([good, bad, killed])
    cluster.wait_for_jobs([cancelled], {"RUNNING"})
    cluster.run("scancel", cancelled)
    expected = {
        good: "COMPLETED 0:0",
        bad: "FAILED 3:0",
        killed: "FAILED 0:9",
        cancelled: f"CANCELLED by {os.getuid()} 0:0",
    }
    until(lambda: accounts(cluster, *expected) == expected)


IMPOSSIBLE = "Requested node configuration is not available"
REFUSED = {
    "--partition=nosuch": "Invalid partition name specified",
    "--gres=gpu:3": IMPOSSIBLE,
    "--cpus-per-task=3": IMPOSSIBLE,
    "--constraint=nosuch": "Invalid feature specification",
}
# What pends for ever when it is submitted (partitions' limits are not enforced by default), or when
# it is submitted with --hold: only --test-only tells.
ACCEPTED = {
    "--nodes=3": IMPOSSIBLE,
    "--partition=small --nodes=2": IMPOSSIBLE,
    "--hold --gres=gpu:3": IMPOSSIBLE,
}


@pytest.mark.parametrize(("options", "why"), (REFUSED | ACCEPTED).items())
def test_what_no_node_can_run_is_told_without_submitting(
    cluster: Cluster, options: str, why: str
) -> None:
    with pytest.raises(CommandFailed, match=f"exit 1: (?s:.*)allocation failure: {why}\n$"):
        sbatch(cluster, "true", "--test-only", *options.split())


@pytest.mark.parametrize(("options", "why"), REFUSED.items())
def test_what_no_node_can_run_is_refused(cluster: Cluster, options: str, why: str) -> None:
    said = f"sbatch: error: Batch job submission failed: {why}\n$"
    with pytest.raises(CommandFailed, match=f"exit 1: (?s:.*){said}"):
        sbatch(cluster, "true", *options.split())


@pytest.mark.parametrize("options", ACCEPTED)
def test_some_of_it_is_accepted_and_waits(cluster: Cluster, options: str) -> None:
    job = sbatch(cluster, "true", *options.split())
    assert cluster.wait_for_jobs([job], {"PENDING"}) == {job: "PENDING"}


def test_gpus_are_handed_out_by_number(cluster: Cluster, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    jobs = [
        sbatch(cluster, "echo $CUDA_VISIBLE_DEVICES; sleep 2", "--gres=gpu:1", output=seen)
        for _ in range(2)
    ]
    both = sbatch(cluster, "echo $CUDA_VISIBLE_DEVICES", "--gres=gpu:2", output=seen)
    cluster.wait_for_jobs([*jobs, both])
    assert sorted(words_in(seen)) == ["0", "0,1", "1"]


def test_each_node_has_its_own_name(cluster: Cluster, tmp_path: Path) -> None:
    if not all(isinstance(node, Node) for node in cluster.nodes.values()):
        pytest.skip("namespaces are refused here")
    names = tmp_path / "names"
    ask = "srun sh -c 'hostname; getent hosts node1 node2'"
    cluster.wait_for_jobs([sbatch(cluster, ask, "--nodes=2", output=names)], {"COMPLETED"})
    assert {"node1", "node2", "127.0.0.1"} <= set(words_in(names))


def test_code_that_drops_the_variables_of_slurm_finds_the_cluster(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in cluster.environment.items():
        monkeypatch.setenv(name, value)
    with clean_env():
        assert "SLURM_CONF" not in os.environ
        found = subprocess.run(["scontrol", "show", "config"], capture_output=True, text=True)
    assert f"SLURM_CONF              = {cluster.environment['SLURM_CONF']}" in found.stdout


def test_a_job_submits_to_its_own_cluster(cluster: Cluster, tmp_path: Path) -> None:
    told = tmp_path / "told"
    inside = "env --unset=SLURM_CONF sbatch --parsable --output=/dev/null --wrap=true"
    outer = sbatch(cluster, inside, output=told)
    cluster.wait_for_jobs([outer], {"COMPLETED"})
    (inner,) = words_in(told)
    assert cluster.wait_for_jobs([inner]) == {inner: "COMPLETED"}


FORGETFUL = """
import sys, time
from pathlib import Path
from tests.slurm.cluster import Cluster
cluster = Cluster(Path(sys.argv[1]), nodes=1)
cluster.start()
cluster.run("sbatch", "--output=/dev/null", "--wrap=setsid sleep 300 & sleep 300")
cluster.wait_for_jobs(["1"], {"RUNNING"})
time.sleep(300)
"""


@pytest.mark.long
@pytest.mark.parametrize(
    ("number", "left"), [(signal.SIGINT, set()), (signal.SIGKILL, {"sleep", "slurm_script"})]
)
def test_no_daemon_outlives_a_session_that_is_stopped(
    number: signal.Signals, left: set[str], tmp_path: Path
) -> None:
    session = subprocess.Popen([sys.executable, "-c", FORGETFUL, str(tmp_path)], cwd=ROOT)

    def ours() -> list[psutil.Process]:
        conf = str(tmp_path / "slurm.conf")
        return [
            process
            for process in psutil.process_iter(["environ", "name"])
            if (process.info["environ"] or {}).get("SLURM_CONF") == conf
        ]

    try:
        until(lambda: [each.info["name"] for each in ours()].count("sleep") == 2)
        assert {"slurmctld", "slurmd", "slurmdbd", "mariadbd", "munged"} <= {
            each.info["name"] for each in ours()
        }
        session.send_signal(number)
        session.wait(60)
        until(lambda: {each.info["name"] for each in ours()} <= left, 5)
    finally:
        session.kill()
        session.wait()
        for process in ours():
            process.kill()
        for line in (tmp_path / "slurm.conf").read_text().splitlines():
            if line.startswith("StateSaveLocation="):
                shutil.rmtree(Path(line.partition("=")[2]).parent, ignore_errors=True)
