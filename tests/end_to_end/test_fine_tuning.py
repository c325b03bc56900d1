"""Every method trained twice in this process: the second time from the weights of the first.

The second training has another seed and a learning rate of nothing, so that what it leaves is what
it started from; a method is found by its yaml.
"""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from launch.composition.compose import compose_config
from launch.composition.overrides import CONF
from launch.jobs.run_stage import run_stage
from launch.plans.graph import Planned
from launch.plans.planning import plan_sweep
from motiongpt.training.stopping import StopRequest

pytestmark = pytest.mark.slow
NOTHING = 1e-30  # no float32 weight is changed by it
# Learnt by counting, whatever the learning rate: codebooks, and means of batches.
COUNTED = (
    "code_count",
    "code_sum",
    "codebook",
    "running_mean",
    "running_var",
    "num_batches_tracked",
)
METHODS = [
    file.stem for file in sorted((CONF / "method").glob("[!_]*.yaml")) if file.stem != "lookup"
]


def trained(root: Path, method: str, *words: str, goal: str) -> dict[str, Planned]:
    """Stage -> what was planned of it, all of it run."""
    usual = (f"method={method}", "debug=tiny", "logger=none", "trainer=cpu", f"paths.root={root}")
    (plan,) = plan_sweep([(*usual, "protocol.clips=2", f"goal={goal}", *words)])
    for stage in plan:
        if not stage.finished:
            run_stage(stage, StopRequest())
    return {stage.run.stage: stage for stage in plan}


def weights(stage: Planned) -> dict[str, torch.Tensor]:
    files = sorted((Path(stage.run.folder) / "model").rglob("*.safetensors"))
    found = {f"{file.name}:{name}": t for file in files for name, t in load_file(file).items()}
    return {name: t for name, t in found.items() if not name.endswith(COUNTED)}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fine_tuning")


@pytest.mark.parametrize("method", METHODS)
def test_a_second_training_starts_from_the_first(root: Path, method: str):
    config = compose_config([f"method={method}"])
    goal = "generate" if config.method.parts else config.method.codec
    first = trained(root, method, goal=goal)
    starts = [stage for stage in first.values() if "learning_rate" in stage.settings]
    still = [f"stage.{one.run.stage}.learning_rate={NOTHING}" for one in starts]
    where = first[goal].run.folder  # all parts are behind it
    parts = list(dict.fromkeys(config.method.parts.values())) or [goal]
    second = trained(
        root, method, f"init_from={where}", "seed=7", *still, goal=f"[{','.join(parts)}]"
    )
    compared = 0
    for before in starts:
        name = before.run.stage
        after = second[name]
        if "init_from" not in after.settings:
            continue
        assert before.run.signature != after.run.signature
        old = weights(first["instruct"] if name == "pretrain" else before)
        new = weights(after)
        assert old.keys() == new.keys() and old
        for key, tensor in old.items():
            torch.testing.assert_close(new[key], tensor, rtol=0, atol=0)
        compared += 1
    assert compared


def test_looks_leave_a_training_as_it_is_and_keep_the_best_one(root: Path):
    """Only MotionGPT is looked at; its stages are there already."""
    often = "stage.instruct.watch.every=4"
    plain = trained(root, "motiongpt", goal="instruct")["instruct"]
    looked = trained(root, "motiongpt", "watch=motion_metrics", often, goal="instruct")["instruct"]
    kept = trained(root, "motiongpt", "watch=best_r_precision", often, goal="instruct")["instruct"]
    before = weights(plain)
    for key, tensor in weights(looked).items():
        torch.testing.assert_close(tensor, before[key], rtol=0, atol=0)
    looks = json.loads((Path(kept.run.folder) / "looks.json").read_text())
    assert set(looks["looks"]) == {"4", "8", "10"} and looks["split"] == "val"
    assert {"r_top1", "fid"} <= looks["looks"]["4"].keys()
    best = max(looks["looks"], key=lambda step: (looks["looks"][step]["r_top1"], -int(step)))
    assert looks["best"] == int(best)
    same = all(torch.equal(one, before[key]) for key, one in weights(kept).items())
    assert same == (best == "10") and not (Path(kept.run.folder) / "best").exists()
