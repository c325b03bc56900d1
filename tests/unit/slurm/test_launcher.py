"""What is asked of SLURM, with the scheduler faked at the subprocess."""

import json

import pytest

from launch.cli import main
from launch.jobs.records import job_of, job_records
from launch.runs.ledger import Run

TINY = ["debug=tiny", "launcher=slurm"]
SWEEP = ["-m", *TINY, "downsampling=2,4", "tasks=text_to_motion,all", "goal=instruct"]


def option(job, name):
    lines = [line for line in job["text"].splitlines() if line.startswith(f"#SBATCH --{name}")]
    return lines[0].partition("=")[2] if lines else None


def test_a_sweep_is_one_array_a_stage_with_edges_between_elements(root, slurm):
    assert main(["run", *SWEEP]) == 0
    tokenizer, tokens, pretrain, instruct, report = slurm.jobs
    assert [len(job["tasks"]) for job in slurm.jobs.values()] == [2, 2, 2, 4, 1]
    jobs = slurm.jobs
    assert set(jobs[tokenizer]["wait"].values()) == {""} and not jobs[tokenizer]["held"]
    assert jobs[tokens]["wait"] == {
        f"{tokens}_0": f"afterok:{tokenizer}_0",
        f"{tokens}_1": f"afterok:{tokenizer}_1",
    }
    assert jobs[instruct]["wait"] == {
        f"{instruct}_{i}": f"afterok:{tokens}_{i // 2}:{pretrain}_{i // 2}" for i in range(4)
    }
    assert jobs[report]["wait"] == {report: f"afterany:{tokenizer}:{tokens}:{pretrain}:{instruct}"}
    assert not any(job["held"] for job in jobs.values()), "every held array was released"
    assert option(jobs[tokens], "kill-on-invalid-dep") == "yes"
    assert option(jobs[tokenizer], "requeue") is not None or "--requeue" in jobs[tokenizer]["text"]


def test_jobs_run_a_snapshot_and_never_the_working_directory(root, slurm):
    assert main(["run", *TINY, "goal=tokenizer", "launcher.setup=[module load cuda]"]) == 0
    (text,) = [job["text"] for job in slurm.jobs.values() if "goal" not in job][:1]
    (snapshot,) = root.glob("code/*")
    assert f"export PYTHONPATH={snapshot}" in text and "export PYTHONSAFEPATH=1" in text
    assert text.index("module load cuda") < text.index("submitit.core._submit")
    assert (snapshot / "launch" / "jobs" / "job.py").exists() and (snapshot / "conf").is_dir()


def test_resources_become_options_and_hardware_but_not_part_of_the_signature(root, slurm):
    words = ["launcher.partition=gpu", "launcher.account=me", "+launcher.additional.exclude=n7"]
    more = ["+launcher.stages.tokenizer={nodes: 2, gpus: 4, cpus: 8, minutes: 90, memory_gb: 100}"]
    assert main(["run", *TINY, "goal=tokens", *words, *more]) == 0
    tokenizer, tokens, _ = slurm.jobs.values()
    for name, value in (
        ("partition", "gpu"),
        ("account", "me"),
        ("exclude", "n7"),
        ("nodes", "2"),
        ("gpus-per-node", "4"),
        ("ntasks-per-node", "4"),
        ("cpus-per-task", "8"),
        ("time", "90"),
        ("mem", "102400M"),
    ):
        assert option(tokenizer, name) == value, name
    assert option(tokens, "gpus-per-node") is None and option(tokens, "ntasks-per-node") == "1"
    (plan,) = root.glob("sweeps/*/submissions/0001/stages/tokenizer-*.json")
    hardware = json.loads(plan.read_text())["settings"]["hardware"]
    assert (hardware["devices"], hardware["num_nodes"]) == (4, 2)
    own = plan.stem.partition("-")[2]
    assert main(["run", "debug=tiny", "goal=tokenizer", "--dry-run"]) == 0
    assert job_of(Run(root, "tokenizer", own)) is not None


def test_what_is_queued_is_not_submitted_again(root, slurm, capsys):
    assert main(["run", *TINY, "goal=tokenizer"]) == 0
    assert main(["run", *TINY, "goal=tokenizer"]) == 0
    assert len(slurm.jobs) == 2 and "in SLURM's hands already" in capsys.readouterr().out
    assert main(["run", *TINY, "goal=tokens"]) == 0
    assert len(slurm.jobs) == 4
    tokens = slurm.jobs["102"]
    assert tokens["wait"] == {"102": "afterok:100"}
    slurm.set_state("100", "FAILED")
    slurm.set_state("102", "CANCELLED")
    assert main(["resume", "synthetic"]) == 2, "two sweeps begin like this"
    names = sorted(folder.name for folder in (root / "sweeps").iterdir())
    assert "several sweeps" in capsys.readouterr().err and len(names) == 2
    tokens_sweep = job_records(root)[-1].sweep
    assert main(["resume", tokens_sweep]) == 0
    assert len(slurm.jobs) == 7, "the tokenizer, its tokens and a report"


@pytest.mark.parametrize("after", [0, 1, 3])
def test_refused_half_way_everything_is_cancelled(root, slurm, capsys, after):
    slurm.write(fail_after=after)
    assert main(["run", *SWEEP]) == 2
    error = capsys.readouterr().err
    assert "SLURM refused the jobs" in error and error.count("\n") == 1
    states = {how for job in slurm.jobs.values() for how in job["tasks"].values()}
    assert len(slurm.jobs) == after and states <= {"CANCELLED"}
    assert job_records(root) == []


def test_refused_beforehand_nothing_is_submitted(root, slurm, capsys):
    slurm.write(refuse="allocation failure: Requested node configuration is not available")
    assert main(["run", *TINY, "goal=tokenizer"]) == 2
    error = capsys.readouterr().err
    assert "Requested node configuration is not available" in error and error.count("\n") == 1
    assert slurm.jobs == {} and not list(root.glob("sweeps/*/submissions"))


def test_a_submission_that_was_killed_half_way_is_cleared_away(root, slurm, capsys):
    assert main(["run", *TINY, "goal=tokenizer"]) == 0
    (file,) = root.glob("sweeps/*/submissions/0001/submission.json")
    file.write_text(json.dumps({**json.loads(file.read_text()), "state": "submitting"}))
    assert main(["run", *TINY, "goal=tokenizer"]) == 0
    assert "was killed half-way; its jobs are cancelled" in capsys.readouterr().out
    assert set(slurm.jobs["100"]["tasks"].values()) == {"CANCELLED"} and len(slurm.jobs) == 4


def test_a_dry_run_asks_slurm_nothing_and_writes_nothing(root, slurm, capsys):
    assert main(["run", *SWEEP, "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert slurm.read()["calls"] == [] and not (root / "sweeps").exists()
    assert "waits for" in out and "CPU hours" in out and "10 stages: 10 to run, 0 reused" in out
    assert "downsampling=2 tasks=all" in out


def test_status_cancel_and_logs_know_what_waits(root, slurm, capsys):
    assert main(["run", *TINY, "goal=tokens"]) == 0
    capsys.readouterr()
    assert main(["status"]) == 0
    table = capsys.readouterr().out
    assert table.count(" queued ") == 2 and "2 runs: 2 queued" in table and " 100 " in table
    assert main(["cancel", "--all"]) == 0
    assert "cancelled 3 jobs" in capsys.readouterr().out
    assert main(["status"]) == 0
    assert "2 cancelled" in capsys.readouterr().out
    own = job_records(root)[0].signature
    assert main(["logs", own[:8]]) == 2
    assert "has said nothing yet" in capsys.readouterr().err
    assert main(["cancel"]) == 2 and "--all" in capsys.readouterr().err


def test_a_report_says_what_is_missing_and_why(root, slurm, capsys):
    assert main(["run", *TINY, "goal=tokens"]) == 0
    slurm.set_state("100", "FAILED")
    record = next(one for one in job_records(root) if one.stage == "tokenizer")
    (root / "x").mkdir()
    with open(f"{record.log}/100_0_log.err", "w") as stream:
        stream.write("one\ntorch: out of memory\n")
    capsys.readouterr()
    assert main(["report"]) == 1
    out = capsys.readouterr().out
    assert "missing: " in out and "was lost: its job 100 is failed on node1, exit status 1:0" in out
    assert "    | torch: out of memory" in out
    assert main(["report", "nothing"]) == 2


def test_a_global_batch_that_cannot_be_shared_is_one_line(root, slurm, capsys):
    assert main(["run", *TINY, "goal=tokenizer", "launcher.resources.processes=3"]) == 2
    error = capsys.readouterr().err
    assert "batch_size=8 can't be shared by 3 processes" in error
    assert main(["run", *TINY, "goal=tokenizer", "launcher.resources.gpu=3"]) == 2
    assert slurm.jobs == {}


def test_a_published_table_is_submitted_and_reported_the_same_way(root, slurm, capsys, tmp_path):
    words = ["reproduce", "table=downsampling", "experiment=quickstart", *TINY]
    assert main([*words, "--output", str(tmp_path / "out")]) == 0
    assert "submitted 13 jobs in 4 arrays and a report" in capsys.readouterr().out
    (record,) = root.glob("sweeps/*/sweep.json")
    assert json.loads(record.read_text())["table"] == {
        "name": "downsampling",
        "output": str(tmp_path / "out"),
    }
    assert main(["report"]) == 1
    out = capsys.readouterr().out
    assert (
        "MotionGPT" in out and out.count("missing: ") == 1 and "downsampling=4 and 1 more" in out
    ), "the published rows are shown"
    assert main(["resume"]) == 0
    assert "motiongpt reproduce table=downsampling" in capsys.readouterr().out
