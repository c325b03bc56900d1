"""Each test of the cluster leaves it as it was."""

from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def healed(request: pytest.FixtureRequest) -> Iterator[None]:
    """After a test that used the cluster: no jobs, all daemons up, all nodes idle."""
    if "cluster" not in request.fixturenames:
        yield
        return
    cluster = request.getfixturevalue("cluster")
    yield
    cluster.heal()
