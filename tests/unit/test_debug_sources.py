"""debug=tiny and the presets take any data set: none gets an option that its source does not have."""

from pathlib import Path

import pytest

import launch.composition.overrides as overrides
from launch.composition.build import build
from launch.composition.compose import compose_config

NAMES = sorted(path.stem for path in Path(overrides.CONF, "data").glob("*.yaml"))


@pytest.mark.parametrize("name", NAMES)
def test_debug_tiny_builds_every_source(name, tmp_path):
    config = compose_config([f"data={name}", "debug=tiny", f"paths.root={tmp_path}"])
    source = build(config.data.source, "data.source")
    assert source.fps == config.data.fps


@pytest.mark.parametrize("name", ["bvh_folder", "asf_amc_folder", "synthetic"])
def test_own_capture_takes_folders_of_any_kind(name, tmp_path):
    config = compose_config(["experiment=own_capture", f"data={name}", f"paths.root={tmp_path}"])
    assert config.data.name == name and config.stage.evaluate.pictures == 8
