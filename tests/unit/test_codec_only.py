"""A method that only reconstructs: opened like any model, saved, pushed, and refused by its verbs."""

import json

import numpy as np
import pytest

from launch.cli import main
from motiongpt import Motion, load
from motiongpt.errors import UserError
from motiongpt.published import hub
from tests.unit.fake_source import rest_pose
from tests.unit.mld_parts import small_codec

METHOD = {"name": "mld_vae", "parts": {}, "codec": "codec", "facts": {}, "codec_facts": {}}


def make_run(root, stage, signature, parents=(), skeleton="humanml3d"):
    run = root / "runs" / stage / signature
    run.mkdir(parents=True)
    data = {"fingerprint": "f", "fps": 20.0, "skeleton": skeleton}
    config = {"group": "small", "method": METHOD}
    record = {"parents": dict(parents), "config": config, "data": data}
    (run / "config.json").write_text(json.dumps(record))
    (run / "status.json").write_text(json.dumps({"state": "finished"}))
    return run


@pytest.fixture
def root(tmp_path):
    small_codec().save(make_run(tmp_path, "codec", "c1") / "model")
    make_run(tmp_path, "reconstruct", "r1", {"codec": "c1"})
    return tmp_path


@pytest.fixture(scope="module")
def motion():
    draw = np.random.default_rng(0).normal(0, 0.01, (30, 22, 3))
    return Motion.from_joints((rest_pose() + draw + [3, 0, -2]).astype(np.float32))


@pytest.mark.parametrize("where", ["", "runs/codec/c1", "runs/reconstruct/r1"])
def test_it_reconstructs_where_the_motion_stood_and_does_nothing_else(root, where, motion):
    model = load(root / where, "cpu")
    assert model.name == "small" and "method mld_vae" in repr(model)
    one, other = model.reconstruct([motion, motion[:9]])
    assert (one.frames, other.frames) == (30, 9) and not one.given.any()
    expected = small_codec().reconstruct([motion.features])[0]
    np.testing.assert_allclose(one.features, expected, atol=1e-4)
    assert np.abs(one.joints[0, 0] - motion.joints[0, 0])[[0, 2]].max() < 1e-3
    for ask in (
        lambda: model.text_to_motion("a person walks"),
        lambda: model.motion_to_text(motion),
        lambda: model.predict(motion),
        lambda: model.in_between(motion[:5], motion[-5:], frames=30),
    ):
        with pytest.raises(UserError, match="method mld_vae cannot do .*: reconstruction only"):
            ask()


def test_it_is_saved_pushed_and_opened_again(root, motion, monkeypatch, tmp_path):
    seen = []

    def push(folder, repository, private):
        saved = load(folder, "cpu")
        np.testing.assert_array_equal(
            saved.reconstruct(motion)[0].joints, load(root, "cpu").reconstruct(motion)[0].joints
        )
        seen.append((repository, private, sorted(one.name for one in folder.iterdir())))
        return "url"

    monkeypatch.setattr(hub, "push_to_hub", push)
    assert main(["push", str(root / "runs/codec/c1"), "owner/codec", "--private"]) == 0
    files = ["README.md", "checksums.json", "codec", "motiongpt.json"]
    assert seen == [("owner/codec", True, files)]
    assert main(["push", str(tmp_path / "gone"), "owner/codec"]) == 2


def test_the_demo_says_what_it_can_in_one_line(root, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["demo", str(root), "a person walks", "--out", str(out), "--device", "cpu"]) == 2
    said = capsys.readouterr().err
    assert "mld_vae cannot do text_to_motion" in said and said.count("\n") == 1
    assert not out.exists()


def test_a_codec_of_another_skeleton_is_refused(tmp_path):
    small_codec().save(make_run(tmp_path, "codec", "c1", skeleton="kit") / "model")
    with pytest.raises(UserError, match="n_features expected 251 of the skeleton kit, found 263"):
        load(tmp_path, "cpu")
