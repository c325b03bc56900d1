"""Models as artifacts on a server that stands in for W&B's: what is there, and what is linked."""

import json
import subprocess
import sys

import pytest

from tests.command import motiongpt
from tests.wandb_parts import only_part
from tests.wandb_server import WandbServer

pytestmark = pytest.mark.slow

TINY = ["debug=tiny", "logger=wandb", "logger.wandb.artifacts=true"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    root = tmp_path_factory.mktemp("trained")
    done = motiongpt("run", *TINY, "goal=pretrain", f"paths.root={root}")
    assert done.returncode == 0, done.stdout + done.stderr
    return root


@pytest.fixture
def service():
    """Where a helper of `wandb` listens that outlives the commands which are told of it."""
    start = "import os, wandb; wandb.setup().ensure_service(); print(os.environ['WANDB_SERVICE'])"
    with subprocess.Popen(
        [sys.executable, "-c", f"{start}; input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process.stdout.readline().strip()
        process.communicate("\n")


def names(root):
    """Stage -> name of its W&B run."""
    return {one.parent.name: f"{one.parent.name}-{one.name}" for one in root.glob("runs/*/*")}


def sync(root, server, **environment):
    return motiongpt("sync", f"paths.root={root}", **server.environment, **environment)


def test_a_server_that_takes_no_model_gets_it_by_the_next_sync(trained, service):
    of = names(trained)
    with WandbServer() as server:
        server.artifacts.refused = ("pretrain",)
        done = sync(trained, server, WANDB_SERVICE=service)
        assert done.returncode == 1 and f"failed {of['pretrain']}: " in done.stderr
        assert "no storage left" in done.stderr
        server.artifacts.refused = ()
        done = sync(trained, server, WANDB_SERVICE=service)
        assert done.returncode == 0, done.stdout + done.stderr
        found = server.artifacts
    assert (
        sorted(found.committed) == sorted([of["tokenizer"], of["pretrain"]]) == sorted(found.logged)
    )
    assert found.used == {of["tokens"]: {of["tokenizer"]}, of["pretrain"]: {of["tokenizer"]}}
    made = {stage: found.logged[of[stage]] for stage in ("tokenizer", "pretrain")}
    for stage, one in made.items():
        (folder,) = (trained / "runs" / stage).iterdir()
        results = json.loads((folder / "metrics.json").read_text())
        about = {"stage": stage, "signature": folder.name, "results": results}
        assert about.items() <= one["metadata"].items()
        assert one["artifactTypeName"] == "model" and one["runName"] == of[stage]
        for file in (folder / "model").rglob("*"):
            name = f"{of[stage]}/{file.relative_to(folder / 'model')}"
            assert file.is_dir() or server.files[name] == file.read_bytes()


def test_a_training_goes_on_where_the_server_takes_no_model(tmp_path):
    words = [*TINY, "logger.wandb.offline=false", "goal=tokenizer", f"paths.root={tmp_path}"]
    with WandbServer() as server:
        server.artifacts.refused = ("tokenizer",)
        done = motiongpt("run", *words, WANDB_MODE="online", **server.environment)
        assert done.returncode == 0, done.stdout + done.stderr
        of = names(tmp_path)["tokenizer"]
        assert f"W&B: {of}: " in done.stdout and "`motiongpt sync` uploads it" in done.stdout
        (folder,) = (tmp_path / "runs" / "tokenizer").iterdir()
        assert not only_part(folder).is_sent and "final/val/total" in server.history[of][-1]
        server.artifacts.refused = ()
        assert sync(tmp_path, server).returncode == 0 and server.artifacts.committed == [of]


def test_models_are_not_uploaded_unasked(tmp_path):
    done = motiongpt(
        "run", "debug=tiny", "logger=wandb", "goal=tokenizer", f"paths.root={tmp_path}"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (folder,) = (tmp_path / "runs" / "tokenizer").iterdir()
    assert only_part(folder).artifact is None
