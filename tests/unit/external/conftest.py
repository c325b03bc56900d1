"""A store of motions that every form can hold."""

import pytest

from tests.forms.motions import Bench


@pytest.fixture(scope="session")
def bench(tmp_path_factory):
    return Bench(tmp_path_factory.mktemp("bench"), count=10, frames=44)
