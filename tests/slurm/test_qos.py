"""A cluster that holds its users to limits of a QOS: what is beyond them is said beforehand."""

import getpass

import pytest

from tests.conftest import started
from tests.slurm.cluster import Cluster
from tests.slurm.sweeping import SMALL, motiongpt

pytestmark = pytest.mark.slurm


@pytest.fixture(scope="module")
def limited(tmp_path_factory):
    """One node, one QOS called short, which this user may take."""
    for cluster in started(
        Cluster(tmp_path_factory.mktemp("limited"), nodes=1, enforce="limits,qos")
    ):
        user = getpass.getuser()
        limits = ["MaxWall=30", "MaxSubmitJobsPerUser=3", "MaxTRESPerUser=cpu=1,mem=2G"]
        for words in (
            ["add", "account", "people"],
            ["add", "user", user, "account=people"],
            ["add", "qos", "short", *limits],
            ["modify", "user", user, "set", "qos+=short"],
        ):
            cluster.run("sacctmgr", "--immediate", *words)
        yield cluster


def test_what_the_qos_never_allows_is_one_line_and_nothing_is_submitted(limited, tmp_path):
    short = [*SMALL, "launcher.account=people", "launcher.qos=short"]
    allowed = ["launcher.resources.minutes=30", "+launcher.stages.report={memory_gb: 1}"]
    two = ["-m", "downsampling=2,4", "goal=tokens"]
    for words, said in (
        ([], "QOS short: MaxWall is 30 minutes"),
        ([*allowed, "launcher.resources.cpus=2"], "QOS short: MaxTRESPerUser is 1 cores"),
        ([*allowed, "launcher.resources.memory_gb=3"], "QOS short: MaxTRESPerUser is 2 GB"),
        ([*allowed, *two], "QOS short: MaxSubmitJobsPerUser is 3, 0 jobs are in the queue and 5"),
    ):
        given = words if two[0] in words else [*words, "goal=tokenizer"]
        done = motiongpt(limited, tmp_path, "run", *short, *given, check=False)
        assert done.returncode == 2 and said in done.stderr, done.stderr
        assert limited.run("squeue", "--noheader").strip() == ""
        assert not list(tmp_path.glob("sweeps/*/submissions/*"))
    motiongpt(limited, tmp_path, "run", *short, *allowed, "goal=tokens")
    assert len(limited.run("squeue", "--noheader", "--qos=short").splitlines()) == 3
