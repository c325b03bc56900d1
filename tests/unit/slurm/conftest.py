"""A root with its data prepared, and a scheduler that only keeps book."""

import shutil

import pytest

from launch.cli import main
from tests.unit.slurm.fake_slurm import FakeSlurm


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """A root with the prepared data, to be copied."""
    root = tmp_path_factory.mktemp("store")
    assert main(["data", "prepare", "debug=tiny", f"paths.root={root}"]) == 0
    return root


@pytest.fixture
def root(store, tmp_path, monkeypatch):
    target = tmp_path / "root"
    shutil.copytree(store, target)
    monkeypatch.setenv("MOTIONGPT_ROOT", str(target))
    return target


@pytest.fixture
def slurm(tmp_path, monkeypatch):
    return FakeSlurm(tmp_path, monkeypatch)
