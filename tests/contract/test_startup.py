"""What commands may import before they know that they need it: a person waits for it each time."""

import json
import subprocess
import sys

from launch.commands import names
from launch.composition.overrides import CONF
from tests.shared import ROOT

SECONDS = (
    *("lightning", "torchmetrics", "transformers", "tokenizers", "datasets", "pyarrow", "pandas"),
    *("sklearn", "scipy", "matplotlib", "PIL", "wandb", "tensorboard", "smplx", "bert_score"),
)
"""Packages that take long to import, or bring along one that does."""
HELP = (*SECONDS, "torch")
# One process gives commands one after the other, and says after each what it has loaded.
PROGRAM = """
import contextlib, io, json, sys
from launch.cli import main

slow, commands = json.loads(sys.argv[1])
for words in commands:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        status = main(words)
        assert not status, f"{words}: status {status}"
    found = [name for name in slow if name in sys.modules]
    assert not found, f"motiongpt {' '.join(words)} imports {', '.join(found)}"
"""


def starts(folder, slow, *commands):
    """Whether commands, given in `folder`, import nothing of `slow`; else the first that does."""
    given = json.dumps([slow, commands])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, given],
        capture_output=True,
        text=True,
        cwd=folder,
        env={"PYTHONPATH": str(ROOT), "PATH": ""},
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_help_and_what_only_reads_runs_needs_no_torch(tmp_path):
    helps = [[name, "--help"] for name in names()]
    more = [["data", "card", "--help"], ["score", "captions", "--help"]]
    reading = [["status"], ["clean", "--dry-run"], ["download"]]
    starts(tmp_path, HELP, ["--help"], *helps, *more, *reading)
    assert not list(tmp_path.iterdir())


# Each method's classes are looked at, and its stages and metrics built, to say what they need.
def test_a_plan_needs_no_more_than_torch(tmp_path):
    methods = sorted(file.stem for file in (CONF / "method").glob("[!_]*.yaml"))
    starts(tmp_path, SECONDS, *(["run", "--dry-run", f"method={name}"] for name in methods))


def test_opening_models_needs_no_more_than_torch():
    program = "import sys; from motiongpt import MotionGPT, load; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "torch" in done.stdout.split()
    assert not {*SECONDS} & {*done.stdout.split()}
