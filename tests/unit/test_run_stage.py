import json
from dataclasses import replace
from typing import ClassVar

import pytest
import torch
from omegaconf import OmegaConf

from launch.jobs import run_stage as run_stage_module
from launch.jobs.run_stage import run_stage
from launch.plans.graph import Planned
from launch.runs.attempts import claimed
from launch.runs.ledger import Run
from motiongpt.data.build import build_store
from motiongpt.errors import UserError
from motiongpt.training.stopping import StopRequest
from tests.unit.fake_source import FakeSource, joint_clip


class Threads:
    """A stage that notes the number of threads it computes with, and may fail."""

    seen: ClassVar[list[int]] = []

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails

    def run(self, context):
        Threads.seen.append(torch.get_num_threads())
        if self.fails:
            raise ValueError("no")
        return {}


def planned(tmp_path, store, signature="abc", **settings):
    config = OmegaConf.create({"group": "g", "logger": {}, "data": {"name": "store", "fps": 20.0}})
    settings = {
        "_target_": f"{__name__}.Threads",
        "_unsigned_": ["hardware"],
        "hardware": {"accelerator": "cpu"},
        **settings,
    }
    run = Run(tmp_path, "classifier", signature)
    return Planned(run, settings, {}, store.folder, store.fingerprint, config)


@pytest.fixture
def store(tmp_path):
    return build_store(FakeSource([joint_clip("a")], fps=30.0), tmp_path / "store")


def test_a_run_records_the_motion_of_its_store(tmp_path, store):
    stage = planned(tmp_path, store)
    run_stage(stage, StopRequest())
    recorded = json.loads((stage.run.folder / "config.json").read_text())["data"]
    assert recorded == {
        "folder": str(store.folder),
        "fingerprint": store.fingerprint,
        "fps": 30.0,
        "skeleton": "humanml3d",
    }


class Speaks:
    """A stage that names a file whose name is no UTF-8."""

    def run(self, context):
        context.log("  caf\udce9.ckpt is damaged, ü")
        return {}


def test_what_a_stage_says_is_kept_whatever_letters_it_has(tmp_path, store, monkeypatch):
    monkeypatch.setattr(run_stage_module, "_print", lambda line: None)
    stage = planned(tmp_path, store, _target_=f"{__name__}.Speaks")
    run_stage(stage, StopRequest())
    said = (stage.run.folder / "log.txt").read_bytes().decode("utf-8")
    assert said == "caf\\udce9.ckpt is damaged, ü\n"


def test_the_threads_of_a_stage_are_not_the_next_ones(tmp_path, store):
    before = torch.get_num_threads()
    hardware = {"accelerator": "cpu", "threads": before + 1}
    Threads.seen.clear()
    run_stage(planned(tmp_path, store, "a", hardware=hardware), StopRequest())
    assert torch.get_num_threads() == before
    with pytest.raises(ValueError, match="no"):
        run_stage(planned(tmp_path, store, "b", hardware=hardware, fails=True), StopRequest())
    assert torch.get_num_threads() == before
    run_stage(planned(tmp_path, store, "c"), StopRequest())
    assert Threads.seen == [before + 1, before + 1, before]


class Ends:
    """A stage that ends with a metric, and leaves a file."""

    def __init__(self, metric: str = "1") -> None:
        self.metric = float(metric)

    def run(self, context):
        (context.folder / "model").mkdir(exist_ok=True)
        (context.folder / "model" / "weights.safetensors").write_bytes(b"12345678")
        return {"val/loss": self.metric}


def ends(tmp_path, store, signature="abc", parents=None, **settings):
    stage = planned(tmp_path, store, signature, **{"_target_": f"{__name__}.Ends", **settings})
    return replace(stage, parents={one.run.stage: one.run for one in parents or ()})


@pytest.mark.parametrize("metric", ["nan", "inf"])
def test_a_metric_that_is_no_number_is_a_failure_with_its_reason(metric, tmp_path, store):
    stage = ends(tmp_path, store, metric=metric)
    with pytest.raises(UserError, match="its metric val/loss is"):
        run_stage(stage, StopRequest())
    assert stage.run.state == "failed" and "val/loss" in stage.run.status["error"]
    assert "Traceback" in (stage.run.where / "error.txt").read_text()


@pytest.mark.parametrize(
    "damage",
    [
        lambda file: file.unlink(),
        lambda file: file.write_bytes(b""),
        lambda file: file.write_bytes(b"1234567"),
        lambda file: file.write_bytes(b"12345679"),
    ],
    ids=["gone", "emptied", "truncated", "flipped"],
)
def test_a_stage_does_not_build_on_a_damaged_parent(damage, tmp_path, store):
    parent = ends(tmp_path, store, "parent")
    run_stage(parent, StopRequest())
    child = ends(tmp_path, store, "child", [parent])
    damage(parent.run.folder / "model" / "weights.safetensors")
    with pytest.raises(UserError, match=r"finished, but model/weights.* run with --again class"):
        run_stage(child, StopRequest())
    assert child.run.state == "failed"


def test_a_parent_of_earlier_versions_has_no_checksums_and_is_built_on(tmp_path, store):
    parent = ends(tmp_path, store, "parent")
    run_stage(parent, StopRequest())
    for name in ("checksums.json", "code.json"):
        (parent.run.folder / name).unlink()
    (parent.run.folder / "model" / "weights.safetensors").write_bytes(b"other")
    child = ends(tmp_path, store, "child", [parent])
    run_stage(child, StopRequest())
    assert child.run.is_finished


def test_an_outdated_result_stays_until_the_new_one_is_there(tmp_path, store):
    stage = ends(tmp_path, store)
    run_stage(stage, StopRequest())
    stage.run.outdate()
    assert stage.run.state == "outdated" and not stage.run.is_finished
    weights = stage.run.folder / "model" / "weights.safetensors"
    with pytest.raises(UserError):
        run_stage(ends(tmp_path, store, metric="nan"), StopRequest())
    assert weights.read_bytes() == b"12345678" and not stage.run.is_finished
    run_stage(ends(tmp_path, store, metric="2"), StopRequest())
    assert stage.run.is_finished and stage.run.metrics == {"val/loss": 2.0}
    assert not stage.run.attempts.exists()


def test_killed_between_the_two_moves_the_outdated_result_is_put_back(tmp_path, store):
    stage = ends(tmp_path, store)
    run_stage(stage, StopRequest())
    stage.run.outdate()
    stage.run.attempts.mkdir(parents=True)
    stage.run.folder.rename(stage.run.attempts / "replaced")
    with claimed(stage.run, str):
        assert stage.run.is_outdated and stage.run.folder.is_dir()
