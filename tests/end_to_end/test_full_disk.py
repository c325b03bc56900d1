"""A disk that fills up in the middle of a run, or can't be written at all."""

import subprocess

import pytest

from launch.runs.ledger import all_runs
from tests.command import motiongpt

pytestmark = pytest.mark.slow
WORDS = ["run", "debug=tiny", "logger=csv", "goal=pretrain"]


@pytest.fixture
def disk(tmp_path):
    """A file system of 12 MB."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(place)], capture_output=True
    )
    if made.returncode:
        pytest.skip("mounting a small file system is not allowed here")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def run(place):
    return motiongpt(*WORDS, f"paths.root={place}")


def test_full_in_the_middle_the_stage_fails_with_its_reason_and_goes_on_with_more_room(disk):
    done = run(disk)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "pretrain" in done.stdout and "No space left on device" in done.stdout
    states = {one.stage: one.state for one in all_runs(disk)}
    assert states["tokenizer"] == states["tokens"] == "finished"
    assert states["pretrain"] in ("failed", "interrupted"), "as much as fitted was written"
    assert not list(disk.rglob("*.tmp"))
    subprocess.run(["mount", "-o", "remount,size=200m", str(disk)], check=True)
    done = run(disk)
    assert done.returncode == 0 and {one.state for one in all_runs(disk)} == {"finished"}


def test_a_place_that_cannot_be_written_is_one_line(disk):
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    done = run(disk / "new")
    assert done.returncode == 1
    (line,) = [one for one in done.stderr.splitlines() if "clip/s]" not in one]
    assert "Read-only file system" in line and "choose another paths.root" in line
