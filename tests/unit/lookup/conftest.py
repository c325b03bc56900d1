"""Clips, their store, and a lookup that copies from it."""

import pytest

from motiongpt.data.build import build_store
from motiongpt.data.synthetic import SyntheticSource
from tests.unit.fake_source import FakeSource
from tests.unit.lookup.parts import CLIPS, trained


@pytest.fixture(scope="module")
def clips():
    return list(SyntheticSource(clips=CLIPS, seed=5).clips())


@pytest.fixture(scope="module")
def store(clips, tmp_path_factory):
    folder = tmp_path_factory.mktemp("store") / "synthetic"
    return build_store(FakeSource(clips), folder, progress=False)


@pytest.fixture(scope="module")
def method(store, tmp_path_factory):
    return trained(store, tmp_path_factory.mktemp("run"))
