import json

from omegaconf import OmegaConf

from launch.plans.graph import Planned
from launch.runs.ledger import Run
from launch.runs.run_stage import run_stage
from motiongpt.data.build import build_store
from motiongpt.training.stopping import StopRequest
from tests.unit.fake_source import FakeSource, joint_clip


def test_a_run_records_the_motion_of_its_store(tmp_path):
    store = build_store(FakeSource([joint_clip("a")], fps=30.0), tmp_path / "store")
    settings = {
        "_target_": "evaluation.classifier_stage.ClassifierStage",
        "_unsigned_": ["hardware"],
        "hardware": {"accelerator": "cpu"},
        "steps": 1,
        "batch_size": 1,
        "seed": 0,
    }
    config = OmegaConf.create({"group": "g", "logger": {}, "data": {"name": "store", "fps": 20.0}})
    run = Run(tmp_path, "classifier", "abc")
    run_stage(Planned(run, settings, {}, store.folder, store.fingerprint, config), StopRequest())
    recorded = json.loads((run.folder / "config.json").read_text())["data"]
    assert recorded == {
        "folder": str(store.folder),
        "fingerprint": store.fingerprint,
        "fps": 30.0,
        "skeleton": "humanml3d",
    }
