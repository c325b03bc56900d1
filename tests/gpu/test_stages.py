"""A stage on a GPU gives what it gives on a CPU: losses, codes, motions, scores."""

import json

import numpy as np
import pytest
import torch

from evaluation.requests.predictions import PREDICTIONS, PredictionSet
from motiongpt.methods.motiongpt.token_store import TokenStore
from motiongpt.training.stage import Processes
from tests.end_to_end.stages import curve, ended, run_stage, small_store

pytestmark = [pytest.mark.gpu, pytest.mark.timeout(240)]
# Of a step's loss, relative: rounding of other sums, grown over the steps before.
FIRST, LAST = 1e-4, 2e-2
CODES = 0.99  # share that is the same: a latent may lie as near to one code as to another
STAGES = ("tokenizer", "tokens", "pretrain", "instruct", "generate")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Each stage on both devices, on the parents that the CPU made."""
    if not torch.cuda.is_available():
        pytest.skip("torch can use no GPU here (torch.cuda.is_available() is False)")
    root = tmp_path_factory.mktemp("gpu")
    small_store(root / "store", validation=4)
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False  # as on a CPU: how training differs is not asked here
    try:
        for stage in STAGES:
            parents = {name: root / "cpu" / name for name in STAGES[: STAGES.index(stage)]}
            for accelerator in ("cpu", "gpu"):
                folder = root / accelerator / stage
                given = (Processes(), root / "store", folder, stage, (), parents)
                run_stage(*given, accelerator=accelerator)
    finally:
        torch.backends.cudnn.allow_tf32 = before
    return root


@pytest.mark.parametrize("stage", ["tokenizer", "pretrain", "instruct"])
def test_losses_are_the_cpus(runs, stage):
    here, there = (curve(runs / one / stage) for one in ("cpu", "gpu"))
    name = next(key for key in here[0] if key.startswith("train/"))
    assert len(here) == len(there) > 1
    assert there[0][name] == pytest.approx(here[0][name], rel=FIRST)
    assert there[-1][name] == pytest.approx(here[-1][name], rel=LAST)
    assert ended(runs / "gpu" / stage).keys() == ended(runs / "cpu" / stage).keys()


@pytest.mark.parametrize("stage", ["tokenizer", "pretrain"])
def test_throughput_tells_the_gpus_memory(runs, stage):
    said = json.loads((runs / "gpu" / stage / "throughput.json").read_text())
    assert said["utilisation"] > 0 and 0 < said["peak_memory_mb"] < 2000


def test_tokens_are_the_cpus(runs):
    here, there = (TokenStore.open(runs / one / "tokens" / "tokens") for one in ("cpu", "gpu"))
    rows = [(here.clip(i)["whole"], there.clip(i)["whole"]) for i in range(len(here))]
    assert all(len(one) == len(other) for one, other in rows)
    same = np.concatenate([one == other for one, other in rows])
    assert same.mean() >= CODES


def test_requests_are_answered_alike(runs):
    folders = sorted((runs / "cpu" / "generate" / PREDICTIONS).iterdir())
    assert folders
    alike = []
    for folder in folders:
        other = runs / "gpu" / "generate" / PREDICTIONS / folder.name
        here, there = (PredictionSet.open(one).read(0, 263) for one in (folder, other))
        assert len(here.motions) == len(there.motions) and here.prompts == there.prompts
        assert all(np.isfinite(motion).all() for motion in there.motions)
        alike += [one == two for one, two in zip(here.texts, there.texts, strict=True)]
        alike += [len(a) == len(b) for a, b in zip(here.motions, there.motions, strict=True)]
    # Every row draws from numbers of its own, made on the CPU: few can go another way.
    assert np.mean(alike) >= 0.9
