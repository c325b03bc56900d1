"""What several files of end-to-end tests begin with."""

import fcntl
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command import motiongpt
from tests.conftest import of_all_processes


@pytest.fixture(scope="session")
def tiny_root(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Called with a name: a root of its own, below which `debug=tiny` has been run to its end.

    It is run once for all of pytest's processes, and copied.
    """
    common = of_all_processes(tmp_path_factory)
    whole, done = common / "tiny", common / "tiny.done"
    with (common / "tiny.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            ran = motiongpt("run", "debug=tiny", "stage.evaluate.pictures=1", f"paths.root={whole}")
            assert ran.returncode == 0, ran.stdout + ran.stderr
            done.touch()

    def copied(name: str) -> Path:
        return Path(shutil.copytree(whole, tmp_path_factory.mktemp(name) / "root"))

    return copied
