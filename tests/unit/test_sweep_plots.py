"""Pictures of a sweep: what they show, and that a sweep without numbers has none."""

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from launch.loggers.wandb_rows import RowsFile
from launch.runs.ledger import Run
from launch.sweeps.closing import close_sweep
from launch.sweeps.costs import Cost, cost_of
from launch.sweeps.curves import curves_of
from launch.sweeps.plots import numbers_of, places_of, values_of
from launch.sweeps.record import make_sweep
from launch.sweeps.table import table_of
from motiongpt.files import write_json
from tests.unit.plans import planned


def finished(root, name, fid, size, minutes):
    run = Run(root, "tokenizer", name)
    write_json(run.folder / "metrics.json", {"text_to_motion/model/fid": fid, "val/loss": fid / 2})
    state = {"state": "finished", "started": 60.0, "finished": 60.0 + 60 * minutes}
    write_json(run.folder / "status.json", state)
    (run.folder / "model").mkdir()
    save_file({"a": np.zeros((size, 10), np.float32)}, run.folder / "model/one.safetensors")
    return run


@pytest.fixture
def sweep(tmp_path):
    plans, points = [], []
    for place, rate in enumerate((8, 1, 2)):
        for seed in (1, 2):
            name = f"{rate}-{seed}"
            finished(tmp_path, name, rate + 0.1 * seed, 100 * rate, 1 + place)
            plans.append([planned(tmp_path, "tokenizer", name)])
            points.append([f"downsampling={rate}", f"seed={seed}"])
    return make_sweep(tmp_path, ["run"], points, plans)


def test_a_report_draws_options_and_costs(sweep):
    report = close_sweep(sweep)
    files = sorted(path.name for path in (sweep.folder / "plots").iterdir())
    assert files == ["cost.png", "downsampling.png"]  # the seed is no option, no curves were kept
    assert "2 pictures: " in report.text
    for path in (sweep.folder / "plots").iterdir():
        picture = np.asarray(Image.open(path).convert("L"))
        assert (picture < 200).sum() > 500 and picture.shape[1] > 300


def test_values_stand_in_their_order_doublings_apart(sweep):
    values = values_of(table_of(sweep), "downsampling", "val/loss")
    assert values == ["1", "2", "8"]
    assert places_of(values) == {"1": 0.0, "2": 1.0, "8": 3.0}
    assert places_of(["t5", "gpt2"]) == {"t5": 0.0, "gpt2": 1.0}
    assert numbers_of(["1", "8"]) == [1.0, 8.0] and numbers_of(["1", "gpt2"]) is None


def test_a_model_costs_its_minutes_and_its_parameters(sweep):
    assert cost_of(sweep, "8-1") == Cost(pytest.approx(1.0), pytest.approx(0.008))
    assert cost_of(sweep, "2-2") == Cost(pytest.approx(3.0), pytest.approx(0.002))
    damaged = Run(sweep.root, "tokenizer", "8-1").folder / "model/one.safetensors"
    damaged.write_bytes(b"x")
    assert cost_of(sweep, "8-1") is None


def test_curves_are_read_from_csv_and_from_rows_of_wandb(sweep):
    one, other = (Run(sweep.root, "tokenizer", name) for name in ("8-1", "1-1"))
    for attempt, rows in (("0001", "4,,3.5\n9,2.5,\n"), ("0002", "9,2.0,\n14,1.0,\n")):
        file = one.folder / "csv" / attempt / "metrics.csv"
        file.parent.mkdir(parents=True)
        file.write_text("step,val/loss,train/loss\n" + rows)
    assert curves_of(one) == {"val/loss": [(9.0, 2.0), (14.0, 1.0)]}
    rows = RowsFile(other.folder, {"id": "x"})
    rows.row({"val/loss": 7.0, "val/pictures": {"_type": "files", "files": []}}, 9)
    rows.row({"final/val/loss": 6.0}, None)
    rows.end("success")
    assert curves_of(other) == {"val/loss": [(9.0, 7.0)]}
    close_sweep(sweep)
    assert (sweep.folder / "plots/curves_tokenizer.png").exists()


def test_what_has_come_to_nothing_is_not_drawn(tmp_path):
    plans = [[planned(tmp_path, "tokenizer", name)] for name in "ab"]
    sweep = make_sweep(tmp_path, ["run"], [["seed=1"], ["seed=2"]], plans)
    assert "pictures" not in close_sweep(sweep).text
    assert not (sweep.folder / "plots").exists()
