"""Weights in a model folder are evaluated as if they had been trained in their place."""

import pytest

from launch.runs.ledger import all_runs
from motiongpt.backbones.loading import load_backbone
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.methods.base import MotionFormat
from motiongpt.motion.skeleton import HUMANML3D
from motiongpt.published.folder import write_model_folder
from motiongpt.training.stage import MODEL
from tests.command import motiongpt

pytestmark = pytest.mark.slow
PUBLISHED = (
    "experiment=published",
    "data=synthetic",
    "evaluator=tmr",  # as in the experiment that the numbers are compared with
    *("~stage.tokenizer.schedule", "~stage.instruct.schedule"),  # debug=tiny has them
)


def run(root, *overrides):
    words = ["debug=tiny", "stage.evaluate.pictures=0", f"paths.root={root}"]
    return motiongpt("run", *overrides, *words)


def only(root, stage):
    (found,) = [one for one in all_runs(root) if one.stage == stage]
    return found


@pytest.fixture(scope="module")
def trained(tiny_root):
    return tiny_root("trained")


@pytest.fixture(scope="module")
def folder(trained, tmp_path_factory):
    folder = tmp_path_factory.mktemp("published") / "tiny"
    tokenizer = TrainedTokenizer.load(only(trained, "tokenizer").folder / MODEL)
    backbone = load_backbone(only(trained, "instruct").folder / MODEL)
    parts = {"codec": tokenizer.save, "language_model": backbone.save}
    write_model_folder(
        folder, parts, method="motiongpt", name="tiny", format=MotionFormat(20.0, HUMANML3D),
        source={},
    )  # fmt: skip
    return folder


def test_the_metrics_are_those_of_the_model_in_its_own_experiment(trained, folder, tmp_path):
    done = run(tmp_path, *PUBLISHED, f"published.folder={folder}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "tiny, nothing is trained" in done.stdout
    assert not [one for one in all_runs(tmp_path) if one.stage in ("tokens", "pretrain")]
    mine, theirs = (only(root, "evaluate").metrics for root in (tmp_path, trained))
    assert mine == theirs and "text_to_motion/model/fid" in mine
    again = run(tmp_path, *PUBLISHED, f"published.folder={folder}").stdout
    assert "0 to run" in again
    moved = folder.rename(folder.with_name("elsewhere"))
    try:
        again = run(tmp_path, *PUBLISHED, f"published.folder={moved}").stdout
        assert "0 to run" in again, "signed by content, not by place"
        (moved / "codec" / "further.txt").write_text("another")
        changed = run(tmp_path, *PUBLISHED, f"published.folder={moved}", "--dry-run").stdout
        assert "0 to run" not in changed
    finally:
        (moved / "codec" / "further.txt").unlink(missing_ok=True)
        moved.rename(folder)


def test_a_sweep_of_protocols_shares_what_was_written(folder, tmp_path):
    done = run(
        tmp_path, *PUBLISHED, f"published.folder={folder}", "-m", "--dry-run",
        "protocol.scoring.packing=packed,released",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("\ngenerate ") == 1 and done.stdout.count("\nevaluate ") == 2


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ([], "set published.folder=FOLDER"),
        (["published.folder={folder}", "tokenizer.codebook_size=64"], "tokenizer.codebook_size=32"),
        (["published.folder={folder}", "downsampling=2"], "run with downsampling=4"),
        (["published.folder={folder}-none"], "weights="),
    ],
)
def test_what_does_not_fit_is_refused(overrides, said, folder, tmp_path):
    done = run(tmp_path, *PUBLISHED, *(one.format(folder=folder) for one in overrides))
    assert done.returncode != 0
    assert said in done.stdout + done.stderr
