"""Running the command line against a cluster, and waiting for what it set going."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from launch.runs.ledger import all_runs

COMMAND = [sys.executable, "-m", "launch.cli"]
SMALL = ["debug=tiny", "logger=csv", "launcher=slurm", "launcher.resources.memory_gb=1"]
# One tokenizer that trains for some twelve seconds and keeps a checkpoint about every second.
LONG = [
    *SMALL,
    "goal=tokenizer",
    "stage.tokenizer.schedule.steps=900",
    "stage.tokenizer.schedule.checkpoint_every=50",
]


def motiongpt(cluster, root, *words, check=True, timeout=300, **variables):
    """One command of ours in the cluster's environment, in a process as a user starts it.

    Not a fork of one that has imported the libraries, as in `tests.command`: they read variables
    when they are loaded, OMP_NUM_THREADS first of all, and what is trained here is compared to the
    last digit with what a job trains.
    """
    environment = {**os.environ, **cluster.environment, "OMP_NUM_THREADS": "1", **variables}
    done = subprocess.run(
        [*COMMAND, *words, f"paths.root={root}"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def submit(cluster, root, *words):
    """Start a sweep; the ids of its arrays, the report last."""
    motiongpt(cluster, root, "run", *words)
    return submission(root)["masters"]


def submission(root, number=-1):
    """The record of a submission."""
    files = sorted(Path(root).glob("sweeps/*/submissions/*/submission.json"))
    return json.loads(files[number].read_text())


def wait_until(true, seconds=120, what=""):
    """Poll until `true()` is true, and return what it is."""
    deadline = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what or true}"
        time.sleep(0.1)
    return found


def only_run(root, stage="tokenizer"):
    """The one run of a stage."""
    found = [run for run in all_runs(root) if run.stage == stage]
    return found[0] if found else None


def checkpointed(root, stage="tokenizer"):
    """Whether an attempt has kept a checkpoint after its beginning."""
    return list(Path(root).glob(f"attempts/{stage}/*/*/checkpoints/last.ckpt"))


def finished(root, stage="tokenizer", seconds=180):
    """Wait until the only run of a stage has its result, and return it."""

    def done():
        run = only_run(root, stage)
        return run is not None and run.is_finished

    wait_until(done, seconds, f"{stage} finished")
    return only_run(root, stage)


def histories(run):
    """Step at which each attempt at a finished run began; one that ended before its first has none."""
    steps = [one["resumed_at"] for one in run.status["attempts"]]
    steps.append(json.loads((run.folder / "progress.json").read_text())["resumed_at"])
    return [step for step in steps if step is not None]
