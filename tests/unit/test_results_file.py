import json

import pytest
from jsonschema import Draft202012Validator

from evaluation.replications.results import Result
from evaluation.reports.report import Origin, write_report
from evaluation.reports.results_file import SCHEMA_FILE, read_results
from motiongpt.errors import UserError
from tests.unit.results_files import facts, number, write


def test_the_schema_itself_is_valid():
    Draft202012Validator.check_schema(json.loads(SCHEMA_FILE.read_text()))


def test_a_file_comes_back_as_it_was_written(tmp_path):
    path = write(tmp_path, number(values=[0.1, 0.2]), number(row="real", interval=None))
    found = read_results(path)
    assert found.path == path and found.data.clips == 4384 and found.seeds == (1234, 1235)
    assert found.number("text_to_motion", "model", "fid").values == [0.1, 0.2]
    assert found.number("text_to_motion", "real", "fid").interval is None
    assert found.number("text_to_motion", "real", "mpjpe") is None
    assert found.rows == ["model", "real"] and found.protocol["scoring"]["packing"] == "packed"


def test_what_the_evaluation_writes_keeps_the_schema(tmp_path):
    known = facts()
    folder = tmp_path / known["signature"]
    result = Result("prediction", "model", "ade", 1.0, None, 1, [1.0], "m", "lower", 4, "none")
    names = (
        "stage",
        "signature",
        "method",
        "experiment",
        "data",
        "protocol",
        "evaluator",
        "captions",
        "seeds",
        "git",
    )
    write_report(folder, [result], Origin(**{name: known[name] for name in names}))
    assert read_results(folder / "results.json").results[0].unit == "m"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"schema": 3}, "schema: 2 was expected"),
        ({"signature": "xyz"}, "signature: 'xyz' does not match"),
        ({"data__clips": 0}, "data.clips: 0 is less than the minimum"),
        ({"seeds": []}, "seeds: "),
        ({"evaluator": {"name": "own"}}, "evaluator: 'fingerprint' is a required property"),
        ({"time": "yesterday"}, "time: "),
        ({"protocol": {}}, "protocol: 'name' is a required property"),
        ({"method": "mdm"}, "method: 'mdm' is not of type 'object'"),
        ({"method__facts": {"data": "kit"}}, "method.facts: 'data' should not be valid"),
        ({"method__facts": {"sizes": {"width": 1}}}, "method.facts.sizes: {'width': 1} is not of"),
        ({"schema": 1, "experiment": None}, "experiment: None is not of type 'object'"),
    ],
)
def test_a_broken_key_is_named_on_one_line(tmp_path, changes, said):
    path = write(tmp_path, **changes)
    with pytest.raises(UserError) as caught:
        read_results(path)
    assert str(caught.value).startswith(f"{path}: {said}") and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"better": "up"}, "better: 'up'"),
        ({"value": None}, "value: None"),
        ({"cases": 0}, "cases"),
        ({"judge": "me"}, "judge: 'me'"),
    ],
)
def test_a_broken_number_is_named_by_its_place(tmp_path, broken, said):
    path = write(tmp_path, number(), number(**broken))
    with pytest.raises(UserError, match=rf"results\[1\]\.{said}"):
        read_results(path)


def test_a_missing_key_of_a_number_is_named(tmp_path):
    lacking = number()
    del lacking["interval"]
    with pytest.raises(UserError, match=r"results\[0\]: 'interval' is a required property"):
        read_results(write(tmp_path, lacking))


@pytest.mark.parametrize("text", ["{", "", "[1", '{"a": NaN}', "\x00"])
def test_no_json_is_one_line(tmp_path, text):
    (tmp_path / "results.json").write_text(text)
    with pytest.raises(UserError, match="not JSON") as caught:
        read_results(tmp_path / "results.json")
    assert "\n" not in str(caught.value)


def test_no_file_is_one_line(tmp_path):
    with pytest.raises(UserError, match="No such file"):
        read_results(tmp_path / "nothing.json")
