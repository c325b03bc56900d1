import json

import numpy as np
import pytest

from motiongpt.backbones.motion_vocabulary import MotionVocabulary
from motiongpt.errors import UserError
from tests.golden.lm_strings import check_motion_strings
from tests.shared import parity

VOCABULARY = MotionVocabulary(8)


def written(*indices: int) -> str:
    return "".join(f"<motion_id_{index}>" for index in indices)


def test_written_codes_are_read_back() -> None:
    for codes in ([], [0], [7, 7, 3]):
        string = VOCABULARY.write(codes)
        assert string == written(8, *codes, 9)
        assert VOCABULARY.read(string).tolist() == codes
    assert VOCABULARY.write([1, 2], marks=False) == written(1, 2)
    assert len(VOCABULARY.tokens) == len(VOCABULARY) == 11


def test_mask_may_be_written_but_other_marks_and_foreign_codes_not() -> None:
    assert VOCABULARY.write([1, 10, 2]) == written(8, 1, 10, 2, 9)
    for value in (8, 9, 11, -1):
        with pytest.raises(UserError, match="outside the codebook"):
            VOCABULARY.write([value])


@pytest.mark.parametrize(
    ("string", "codes"),
    [
        ("", []),
        ("a person walks", []),
        ("so: " + written(8, 4, 9) + " done", [4]),
        (written(8, 4, 5), [4, 5]),  # no end: what was written is kept
        (written(4, 5, 9), [4, 5]),  # no start
        ("then " + written(9, 4, 5), [4, 5]),  # the end before any code is no end
        (written(9, 8, 4, 5, 9), [4, 5]),  # an end before the start is no end
        (written(8, 4, 10, 5, 8, 6, 9), [4, 5, 6]),  # marks among the codes are dropped
        (written(8, 4, 9, 8, 5, 9), [4]),  # the first motion only
        (written(8) + " " + written(4) + "walks" + written(5, 9), [4, 5]),
        (written(8, 4, 600, 5, 9), [4, 5]),  # codes outside the codebook are dropped
    ],
)
def test_malformed_motions_keep_the_codes_that_were_written(string: str, codes: list[int]) -> None:
    found = VOCABULARY.read(string)
    assert found.dtype == np.int64
    assert found.tolist() == codes


def test_text_without_its_motion() -> None:
    assert VOCABULARY.without_motion("a " + written(8, 1, 9) + " b") == "a <Motion_Placeholder> b"
    assert VOCABULARY.without_motion("a " + written(8, 1)) == "a <Motion_Placeholder>"
    assert VOCABULARY.without_motion("walks") == "walks"


def test_released_parsing_throws_an_unfinished_motion_away_and_keeps_marks() -> None:
    assert VOCABULARY.read(written(8, 4, 5), parsing="released").tolist() == [0]
    assert VOCABULARY.read(written(8, 4, 10, 9), parsing="released").tolist() == [4, 10]
    with pytest.raises(UserError, match="kept, released"):
        VOCABULARY.read("", parsing="original")
    with pytest.raises(UserError, match="can't read"):
        VOCABULARY.read(written(8) + "<pad>" + written(9), parsing="released")


def test_golden_motion_strings() -> None:
    path = parity("lm/motion_strings.json")
    report = RecordingReport()
    check_motion_strings(path, json_value(path), report)
    assert report.checks == 72
    assert not report.misses


def test_golden_check_can_fail() -> None:
    path = parity("lm/motion_strings.json")
    value = json_value(path)
    value["string_to_token_codebook_512"][3]["tokens"][0] += 1
    value["get_middle_str"][3]["middle"] += "<motion_id_1>"
    value["codebook_32"][1]["string"] += " "
    report = RecordingReport()
    check_motion_strings(path, value, report)
    assert len(report.misses) == 3


def json_value(path):
    return json.loads(path.read_text())


class RecordingReport:
    """Counts what the golden check compares."""

    def __init__(self) -> None:
        self.checks = 0
        self.misses: list[str] = []

    def exact(self, case, name, found, expected) -> None:
        self.checks += 1
        if found != expected:
            self.misses.append(f"{case} {name}")

    def unchecked(self, case, name, why) -> None:
        self.misses.append(f"{case} {name}: {why}")
