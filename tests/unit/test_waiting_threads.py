"""Threads of a command soon sleep while they wait, unless somebody has said otherwise."""

import os
import subprocess
import sys

import pytest

ASK = "import launch.cli, torch, os; print(*map(os.environ.get, {names}))"
NAMES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        ({}, ["passive", "8000"]),
        ({"OMP_WAIT_POLICY": "active"}, ["active", "None"]),
        ({"GOMP_SPINCOUNT": "7"}, ["passive", "7"]),
    ],
)
def test_threads_soon_wait_asleep(given, seen):
    known = {name: value for name, value in os.environ.items() if name not in NAMES}
    done = subprocess.run(
        [sys.executable, "-c", ASK.format(names=NAMES)],
        env={**known, **given},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == seen


def test_it_is_said_before_torch_is_there():
    script = "import sys, launch; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False"]
