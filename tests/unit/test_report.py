"""Numbers with their intervals, tables of them, and the report that keeps its own schema."""

import numpy as np
import pytest

from evaluation.metrics.numbers import Number
from evaluation.replications.left_out import LeftOut
from evaluation.replications.results import Result, markdown_table
from evaluation.reports.report import Origin, write_report
from evaluation.reports.results_file import read_results

CARD = {
    "split": "test",
    "clips": 32,
    "train": 300,
    "nearest_cm": [1.0, 2.0, 3.0],
    "any_cm": 30.0,
    "captions": 96,
    "known_percent": 12.0,
    "overlap_percent": 80.0,
}
UP, NEAR = Number("%", "higher"), Number("", "real")


def result(row="model", values=(1.0, 2.0, 3.0), metric="accuracy", number=UP):
    return Result.of("text_to_motion", row, metric, list(values), number, 32, "none")


def test_the_interval_is_the_one_that_the_field_prints():
    draws = np.random.default_rng(0).normal(5, 2, 20)
    found = result(values=draws)
    assert found.value == pytest.approx(draws.mean())
    assert found.interval == pytest.approx(1.96 * draws.std() / np.sqrt(20))
    assert result(values=[4.0]).interval is None


def test_the_table_has_a_column_for_the_method_and_real_and_words_for_the_rest():
    results = [
        result(),
        result("real", [9.0]),
        result("chance", [12.34]),
        result(metric="diversity", number=NEAR),
    ]
    lines = markdown_table(results, "mdm").splitlines()
    assert lines[0] == "| task | metric | mdm | real | for comparison | clips |"
    assert lines[2] == (
        "| text_to_motion | accuracy (%) ↑ | 2.000 ±0.924 | 9.000 | chance 12.3 | 32 |"
    )
    assert lines[3].startswith("| text_to_motion | diversity → | 2.000 ±0.924 | - | - |")


def test_a_report_keeps_its_schema(tmp_path):
    origin = Origin(
        stage="evaluate",
        signature="0123456789abcdef",
        method={"name": "mdm", "facts": {"steps": 50, "guided": True}},
        experiment={"group": "test", "data": "synthetic"},
        data={
            "name": "synthetic",
            "fingerprint": "f" * 64,
            "split": "test",
            "clips": 32,
            "card": CARD,
        },
        training={"seeds": {"tokenizer": 5}, "recipe": "a" * 16},
        made={"overrides": ["seed=5"], "data": "b" * 16},
        protocol={"name": "ours", "replications": 3, "scoring": {"pool": 32}, "generation": {}},
        evaluator=None,
        captions={"references": "raw"},
        seeds=[1, 2, 3],
        git={"git_commit": None},
    )
    folder = tmp_path / "0123456789abcdef"
    lacking = LeftOut("text_to_motion", "model", "diversity", "needs 300 clips, there are 6")
    write_report(folder, [result(), result("real", [9.0])], origin, [lacking])
    found = read_results(folder / "results.json")
    assert found.signature == folder.name and found.seeds == (1, 2, 3)
    number = found.number("text_to_motion", "model", "accuracy")
    assert number.values == [1.0, 2.0, 3.0] and number.better == "higher"
    assert found.method.name == "mdm" and dict(found.method.facts) == {"steps": 50, "guided": True}
    assert "mdm" in (folder / "table.txt").read_text().splitlines()[0]
    assert found.left_out == (lacking,)
    assert found.training_seeds == {"tokenizer": 5} and found.made["overrides"] == ["seed=5"]
    assert found.data.card == CARD
    for table in ("table.txt", "table.md"):
        text = (folder / table).read_text()
        assert "± is over replications (1.96 standard errors" in text
        assert "data card: test, 32 clips, to train, 300 clips: nearest clip 2.0 cm" in text
        assert (
            (folder / table)
            .read_text()
            .splitlines()[-1]
            .endswith("left out: diversity of text_to_motion: needs 300 clips, there are 6")
        )
