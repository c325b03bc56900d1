"""Threads of a command sleep while they wait, unless somebody has said otherwise."""

import os
import subprocess
import sys

import pytest

ASK = "import launch.cli, torch, os; print(os.environ['OMP_WAIT_POLICY'])"


@pytest.mark.parametrize(
    ("given", "seen"), [({}, "passive"), ({"OMP_WAIT_POLICY": "active"}, "active")]
)
def test_threads_wait_asleep(given, seen):
    known = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    done = subprocess.run(
        [sys.executable, "-c", ASK],
        env={**known, **given},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [seen]


def test_it_is_said_before_torch_is_there():
    script = "import sys, launch; print('torch' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False"]
