"""Hydra's own launcher for SLURM, hydra-submitit-launcher, with this project's experiments."""

import pytest

from launch.runs.ledger import all_runs
from tests.slurm.sweeping import motiongpt

pytestmark = pytest.mark.slurm


def test_experiments_are_jobs_of_an_array_and_share_their_tokenizer(cluster, tmp_path):
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher")
    motiongpt(
        cluster,
        tmp_path,
        *("run", "-m", "debug=tiny", "logger=none", "goal=reconstruct", "protocol.clips=3,4"),
        *("hydra/launcher=submitit_slurm", "hydra.launcher.partition=main"),
        "hydra.launcher.mem_gb=1",
    )
    runs = all_runs(tmp_path)
    assert sorted(run.stage for run in runs) == ["reconstruct", "reconstruct", "tokenizer"]
    assert all(run.is_finished for run in runs)
    jobs = {run.status["job"] for run in runs if run.stage == "reconstruct"}
    assert len(jobs) == 2 and len({job.split("_")[0] for job in jobs}) == 1, "an array of two"
    assert {run.status["host"] for run in runs} <= set(cluster.nodes)
    (tokenizer,) = (run for run in runs if run.stage == "tokenizer")
    assert not tokenizer.status["attempts"], "trained once"
