"""Variants of a protocol, and the table of what each moves."""

import csv
import io

from evaluation.replications.results import Result
from evaluation.reports.protocol_audit import Variant, audit_tables, variants
from evaluation.reports.results_file import DataFacts, MethodFacts, ResultsFile
from launch.composition.compose import compose_config

NAMES = ("ours", "guo2022", "motiongpt_release")


def protocols():
    return {name: compose_config([f"protocol={name}"]).protocol for name in NAMES}


def test_each_deviation_stands_alone_and_composes():
    found = variants("ours", protocols())
    assert found[0] == Variant("ours", ("protocol=ours",))
    assert [one.name for one in found[-2:]] == ["all of guo2022", "all of motiongpt_release"]
    names = [one.name for one in found]
    assert len(set(names)) == len(names)
    for wanted in ("packing: released", "caption: random", "distances: released"):
        assert wanted in names
    ours = compose_config().protocol
    for one in found[1:-2]:
        changed = compose_config(one.overrides).protocol
        assert changed != ours and changed.name == "ours"


def test_settings_of_one_way_of_writing_change_together():
    together = next(
        one for one in variants("ours", protocols()) if one.name.startswith("completion_decoding")
    )
    assert together.name == "completion_decoding: strategy=sampling, num_beams=1"
    assert len(together.overrides) == 3


def results(value, interval=0.1, real=2.0):
    def number(row, metric, value):
        return Result(
            "text_to_motion", row, metric, value, interval, 20, (), "", "lower", 9, "none"
        )

    return ResultsFile(
        path=None,
        schema=2,
        method=MethodFacts("motiongpt", {}),
        signature="s" * 16,
        stage="evaluate",
        experiment={},
        data=DataFacts("data", "f" * 64, "test", 9),
        protocol={"name": "ours", "replications": 20},
        evaluator=None,
        captions=None,
        seeds=(1,),
        versions={},
        time="",
        git={},
        results=(
            number("model", "fid", value),
            number("model", "same", 1.0),
            number("real", "fid", real),
            number("real", "same", 1.0),
        ),
    )


def test_the_table_shows_what_moved():
    scored = {
        Variant("ours", ()): results(1.0),
        Variant("little", ()): results(1.15),
        Variant("much", ()): results(1.5, real=3.0),
        Variant("hardly", ()): results(1.0000001),
        Variant("nothing", ()): results(1.0),
    }
    markdown, text = audit_tables(scored)
    lines = markdown.splitlines()
    assert "| protocol | fid | same | fid, real |" in lines
    assert "| ours | 1.000 ±0.100 | 1.000 ±0.100 | 2.000 ±0.100 |" in lines
    assert "| little | 1.150 ±0.100 | · | · |" in lines
    assert "| much | **1.500 ±0.100** | · | **3.000 ±0.100** |" in lines
    assert "| hardly | ≈ | · | · |" in lines
    assert "No number here depends on nothing." in lines
    rows = list(csv.DictReader(io.StringIO(text)))
    assert "Base: method motiongpt, protocol ours" in lines[0]
    assert {row["row"] for row in rows} == {"model", "real"}
    assert len(rows) == 20 and rows[4]["variant"] == "little" and float(rows[4]["value"]) == 1.15
