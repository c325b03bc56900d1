"""Two nodes with one process each train as one process does."""

import csv
import json

import pytest

from launch.runs.ledger import all_runs
from tests.slurm.sweeping import SMALL, motiongpt, only_run, submission

pytestmark = pytest.mark.slurm
# Sums of float32 in another order; measured: below 2e-6 after 40 steps.
TOLERANCE = 1e-5
WORDS = [
    *SMALL,
    "goal=[tokens,generate]",
    "stage.tokenizer.schedule.steps=40",
    "launcher.resources.memory_gb=1",
]
NO_DROPOUT = "backbone.dropout=0.0"


def curve(run, column):
    file = next(run.folder.glob("csv/**/metrics.csv"))
    return {
        int(row["step"]): float(row[column])
        for row in csv.DictReader(file.open())
        if row.get(column)
    }


def answers(root):
    (run,) = [run for run in all_runs(root) if run.stage == "generate"]
    return {
        file.relative_to(run.folder): file.read_bytes()
        for file in run.folder.rglob("predictions/**/*")
        if file.is_file()
    }


def test_a_loss_that_is_not_finite_ends_both_nodes(cluster, tmp_path):
    words = [*SMALL, "goal=tokens", "launcher.resources.nodes=2"]
    motiongpt(cluster, tmp_path, "run", *words, "stage.tokenizer.learning_rate=1e15")
    masters = submission(tmp_path)["masters"]
    cluster.wait_for_jobs(masters[:1], {"FAILED"}, 300)
    cluster.wait_for_jobs(masters[1:2], {"CANCELLED"}, 300)
    cluster.wait_for_jobs(masters[-1:], {"COMPLETED"}, 300)
    (run,) = all_runs(tmp_path)
    assert run.state == "failed" and run.where.name == "0001", "no retry"
    assert "stage tokenizer: the loss is not finite since step" in run.status["error"]
    assert "not finite" in (run.where / "error.txt").read_text()
    report = json.loads(next(tmp_path.glob("sweeps/*/report.json")).read_text())
    assert "not finite" in report["missing"][0]["why"]


def test_two_nodes_give_the_loss_curve_of_one_process(cluster, tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    here = [word for word in WORDS if not word.startswith("launcher")]
    motiongpt(cluster, one, "run", *here, NO_DROPOUT)
    motiongpt(cluster, two, "run", *WORDS, NO_DROPOUT, "--wait", "launcher.resources.nodes=2")
    largest = 0.0
    for stage, columns in (
        ("tokenizer", ("train/total", "val/total", "val/mpjpe_mm", "val/perplexity")),
        ("pretrain", ("train/loss", "val/loss")),
        ("instruct", ("train/loss", "val/loss")),
    ):
        alone, together = only_run(one, stage), only_run(two, stage)
        assert alone.signature == together.signature, "where it runs is not part of what it is"
        config = json.loads((together.folder / "config.json").read_text())
        assert config["settings"]["hardware"]["num_nodes"] == 2
        for column in columns:
            wanted, found = curve(alone, column), curve(together, column)
            assert wanted.keys() == found.keys() and wanted
            for step, value in wanted.items():
                assert found[step] == pytest.approx(value, rel=TOLERANCE), (stage, column, step)
                largest = max(largest, abs(found[step] - value) / abs(value))
    print(f"largest relative difference of two nodes from one process: {largest:.1e}")
    job = submission(two)["jobs"][only_run(two).signature]
    nodes = cluster.run("sacct", "-n", "-X", "-P", "-o", "NodeList", "-j", job).strip()
    assert nodes == "node[1-2]"
    assert answers(one).keys() == answers(two).keys()
