"""Fixtures that several folders of tests share."""

import os
from collections.abc import Iterator

import pytest

from tests.slurm.cluster import Cluster
from tests.slurm.packages import Unavailable


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
