"""The report of a sweep over seeds: a line a number, both spreads in columns of their own."""

import pytest

from evaluation.replications.intervals import student_interval
from launch.runs.ledger import Run
from launch.sweeps.closing import close_sweep
from launch.sweeps.record import make_sweep
from launch.sweeps.seed_table import seed_table_of
from launch.sweeps.table import table_of
from motiongpt.files import write_json
from tests.unit.plans import planned
from tests.unit.results_files import number, write


def finish(run, metrics):
    write_json(run.folder / "metrics.json", metrics)
    write_json(run.folder / "status.json", {"state": "finished", "finished": 1.0})


def sweep_of(root, values):
    """Rate -> FID of the model of each seed, to within 0.01 by its replications."""
    plans, points = [], []
    for rate, losses in values.items():
        for seed, loss in enumerate(losses):
            name = f"{rate}-{seed}"
            plans.append([planned(root, "tokenizer", name)])
            points.append([f"downsampling={rate}", f"seed={seed}"])
            run = Run(root, "tokenizer", name)
            metrics = {"text_to_motion/model/fid": loss, "text_to_motion/real/fid": 0.5}
            finish(run, metrics)
            write(run.folder, number(value=loss, interval=0.01))
    return make_sweep(root, ["run"], points, plans)


def test_numbers_are_joined_by_what_is_not_the_seed(tmp_path):
    sweep = sweep_of(tmp_path, {2: [1.0, 2.0, 3.0], 4: [5.0, 5.5, 7.5]})
    joined = seed_table_of(sweep, table_of(sweep))
    assert joined.columns() == [
        "downsampling", "stage", "metric", "mean", "training seeds", "standard deviation",
        "± (Student's t)", "± replications of one model",
    ]  # fmt: skip
    first, second = joined.cells()  # real motion, which no seed moves, has no line
    assert first[:5] == ["2", "tokenizer", "text_to_motion/model/fid", 2.0, "3"]
    assert first[5:] == [pytest.approx(1.0), student_interval([1.0, 2.0, 3.0]), 0.01]
    assert second[0] == "4" and second[3] == pytest.approx(6.0)
    assert joined.only(["val/loss"]).cells() == []


def test_the_report_of_a_sweep_has_it(tmp_path):
    sweep = sweep_of(tmp_path, {2: [1.0, 2.0, 3.0]})
    report = close_sweep(sweep)
    assert "joined over training seeds" in report.text and "± replications" in report.text
    assert "fid" in (sweep.folder / "seeds.csv").read_text()
    assert "Student's t" in (sweep.folder / "seeds.md").read_text()


def test_one_seed_or_one_run_for_all_seeds_is_not_joined(tmp_path):
    sweep = sweep_of(tmp_path, {2: [1.0], 4: [2.0]})
    assert seed_table_of(sweep, table_of(sweep)).rows == []
    # A method that trains nothing: all seeds want the same run.
    plans = [[planned(tmp_path, "tokenizer", "2-0")] for _ in range(3)]
    shared = make_sweep(tmp_path, ["run"], [[f"seed={one}"] for one in range(3)], plans)
    assert seed_table_of(shared, table_of(shared)).rows == []
