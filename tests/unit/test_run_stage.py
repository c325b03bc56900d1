import json
from typing import ClassVar

import pytest
import torch
from omegaconf import OmegaConf

from launch.plans.graph import Planned
from launch.runs.ledger import Run
from launch.runs.run_stage import run_stage
from motiongpt.data.build import build_store
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
