"""What jobs run is a copy of the code, with all files that the code reads of its own folders."""

import pytest

from launch.runs.snapshot import take_snapshot
from tests.shared import ROOT

READ_BY_CODE = ("*.py", "*.yaml", "*.html", "*.j2", "*.js", "*.css", "*.json", "*.npz", "*.glb")
CODE = ("motiongpt", "evaluation", "launch", "conf")


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    return take_snapshot(tmp_path_factory.mktemp("root"))


def files_in(home, pattern):
    found = {path.relative_to(home) for name in CODE for path in (home / name).rglob(pattern)}
    return {path for path in found if "__pycache__" not in path.parts}


@pytest.mark.parametrize("pattern", READ_BY_CODE)
def test_everything_that_the_code_reads_is_in_it(snapshot, pattern):
    assert files_in(snapshot, pattern) == files_in(ROOT, pattern)


def test_results_are_not(snapshot):
    assert not list((snapshot / "experiments").glob("*/results"))
    assert (snapshot / "source.json").is_file() and (snapshot / "changes.diff").exists()
    assert take_snapshot(snapshot.parents[1]) == snapshot
