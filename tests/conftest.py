"""Fixtures that several folders of tests share."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slurm.cluster import Cluster
from tests.slurm.packages import Unavailable


@pytest.fixture(scope="session", autouse=True)
def empty_working_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty folder to work in, so that no test meets, or adds to, a user's runs and files.

    The variables that lead to a user's own files are unset for the same reason.
    """
    folder = tmp_path_factory.mktemp("working")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MOTIONGPT_ROOT", raising=False)
        yield folder


@pytest.fixture(autouse=True)
def nothing_left_behind(empty_working_folder: Path) -> Iterator[None]:
    """Fails the test that writes there: files belong into the test's `tmp_path`."""
    yield
    left = sorted(file.name for file in empty_working_folder.iterdir())
    assert not left, f"left in the working directory: {', '.join(left)}; use tmp_path"


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Hydra hangs handlers on the root logger, whose stream is closed when the test has ended."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A SLURM cluster of two nodes; skips where there can be none, unless CI_REQUIRE_SLURM=1."""
    running = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        running.start()
    except Unavailable as reason:
        if os.environ.get("CI_REQUIRE_SLURM") == "1":
            raise
        pytest.skip(f"no SLURM cluster: {reason}")
    with running:
        yield running
