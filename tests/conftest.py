"""Fixtures that several folders of tests share."""

import copy
import hashlib
import logging
import os
import pickle
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from omegaconf import DictConfig, OmegaConf

from launch.composition import compose, overrides
from launch.composition.overrides import CONF
from tests.shared import ROOT
from tests.slurm.cluster import Cluster
from tests.slurm.packages import Unavailable

# Files that take longest, which begin first: one that begins last leaves the other core idle.
LONGEST = (
    "end_to_end/test_local_launcher.py",
    "end_to_end/test_wandb.py",
    "end_to_end/test_debug_tiny.py",
    "end_to_end/test_methods.py",
    "end_to_end/test_distributed.py",
    "end_to_end/test_hydra_ways.py",
    "unit/test_bandai_namco.py",
    "end_to_end/test_published.py",
    "end_to_end/test_full_size_import.py",
    "unit/test_hardware_options.py",
    "end_to_end/test_full_disk.py",
    "slurm/test_kills.py",
    "slurm/test_sweeps.py",
    "slurm/test_ownership.py",
    "contract/test_signed.py",
    "contract/test_configs.py",
    "golden/test_small.py",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files in the order in which `--dist loadfile` should hand them out; theirs stays."""
    order = {ROOT / "tests" / name: place for place, name in enumerate(LONGEST)}
    if gone := [str(file) for file in order if not file.exists()]:
        raise pytest.UsageError(f"tests/conftest.py names what is not there: {', '.join(gone)}")
    sizes = Counter(item.path for item in items)
    items.sort(
        key=lambda item: (order.get(item.path, len(order)), -sizes[item.path], str(item.path))
    )


def of_all_processes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The temporary folder of this session that xdist's processes share."""
    mine = tmp_path_factory.getbasetemp()
    return mine.parent if "PYTEST_XDIST_WORKER" in os.environ else mine


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


@pytest.fixture(scope="session", autouse=True)
def groups_composed_once(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hydra composes a combination of groups once for all tests, of all processes: hundreds of them
    give commands that differ in values. Other folders of yaml than the project's own are left to
    it."""
    of_project, known = overrides.CONF, {}
    compose_choices = compose._choices_composed
    folder = of_all_processes(tmp_path_factory) / "composed"
    folder.mkdir(exist_ok=True)

    def once(combination: Sequence[str]) -> DictConfig:
        folders = overrides.config_folders(overrides.parse_overrides(combination))
        if folders != [of_project]:
            return compose_choices(combination)
        key = hashlib.sha256("\n".join(combination).encode()).hexdigest()
        if key not in known:
            file = folder / key
            if not file.exists():
                mine = folder / f"{key}.{os.getpid()}"
                mine.write_bytes(pickle.dumps(compose_choices(combination)))
                mine.replace(file)
            known[key] = pickle.loads(file.read_bytes())
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compose, "_choices_composed", once)
        yield


@pytest.fixture(scope="session", autouse=True)
def files_of_yaml_read_once() -> Iterator[None]:
    """What Hydra reads of the project's own conf/ is parsed once; it goes through some hundred files
    for each combination of groups."""
    read, known = OmegaConf.load, {}

    def once(file: Any) -> Any:
        name = str(getattr(file, "name", file))
        if not name.startswith(f"{CONF}/"):
            return read(file)
        if name not in known:
            known[name] = read(file)
        return copy.deepcopy(known[name])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OmegaConf, "load", staticmethod(once))
        yield


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
    yield from started(Cluster(tmp_path_factory.mktemp("cluster")))


def started(cluster: Cluster) -> Iterator[Cluster]:
    """For fixtures: `cluster`, from its start to its end."""
    try:
        cluster.start()
    except Unavailable as reason:
        if os.environ.get("CI_REQUIRE_SLURM") == "1":
            raise
        pytest.skip(f"no SLURM cluster: {reason}")
    with cluster:
        yield cluster
