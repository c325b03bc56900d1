"""What another system is asked: requests.jsonl, and the folder that it is written into."""

from types import SimpleNamespace

import pytest

from launch.cli import main
from launch.composition.compose import compose_config
from launch.external_predictions import requests_in
from motiongpt.data.build import build_store
from motiongpt.data.clip import Caption
from tests.unit.fake_source import FakeSource, feature_clip

CAPTIONS = tuple(Caption(f"caption {number}") for number in range(5))


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    clips = [feature_clip("trained")] + [
        feature_clip(f"c{i}", "test", frames=40 + i, seed=i, captions=CAPTIONS) for i in range(8)
    ]
    return build_store(FakeSource(clips), tmp_path_factory.mktemp("s") / "store", progress=False)


def requests_of(store, folder, *overrides):
    config = compose_config(["protocol=guo2022", "protocol.replications=3", *overrides])
    requests_in(folder, SimpleNamespace(config=config, data=store.folder), "text_to_motion")
    return (folder / "requests.jsonl").read_bytes()


def test_requests_follow_the_evaluations_seed_and_not_the_trainings(store, tmp_path):
    usual = requests_of(store, tmp_path)
    assert requests_of(store, tmp_path, "seed=7") == usual
    assert requests_of(store, tmp_path, "evaluation_seed=7") != usual


@pytest.mark.parametrize("words", [(), ("--requests",)])
def test_a_mistyped_folder_is_said_and_not_made(words, tmp_path, capsys):
    (tmp_path / "file").write_text("x")
    root = f"paths.root={tmp_path / 'root'}"
    for name in ("gone/deeper", "file", *(() if words else ("gone",))):
        assert main(["score", "predictions", str(tmp_path / name), root, *words]) == 2
        said = capsys.readouterr().err
        assert str(tmp_path / name).removesuffix("/deeper") in said and said.count("\n") == 1
        assert "no such folder" in said or "a file; name a folder" in said
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


def test_nothing_is_left_of_an_output_that_was_not_reached(tmp_path, store, monkeypatch, capsys):
    """Not even the folders above it."""
    stage = SimpleNamespace(config=compose_config([]), data=store.folder)
    monkeypatch.setattr("launch.score_predictions.plan_point", lambda overrides: [stage])
    (tmp_path / "empty").mkdir()
    output = tmp_path / "a" / "b" / "scores"
    assert main(["score", "predictions", str(tmp_path / "empty"), "--output", str(output)]) == 2
    assert "no file that ends in" in capsys.readouterr().err
    assert [one.name for one in tmp_path.iterdir()] == ["empty"]
