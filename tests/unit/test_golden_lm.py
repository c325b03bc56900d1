"""The golden checks of `lm`: they pass on the vectors given, and they can fail."""

import json

import numpy as np
import pytest

from tests.golden.lm import check
from tests.shared import SMALL


class Counting:
    """A report that only counts."""

    def __init__(self):
        self.checked, self.missed, self.skipped = 0, [], []

    def exact(self, case, name, found, expected):
        self.checked += 1
        if not np.array_equal(found, expected):
            self.missed.append(name)

    def unchecked(self, case, name, why):
        self.skipped.append(name)


def read(path):
    if path.suffix == ".npz":
        return dict(np.load(path, allow_pickle=False))
    return json.loads(path.read_text())


def checked(path, value):
    report = Counting()
    check(path, value, report, path.parent)
    return report


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("generate_conditional_prompts.json", 24),
        ("motion_strings.json", 60),
        ("placeholder_fulfill.json", 160),
        ("span_corruption.npz", 19),
    ],
)
def test_given_vectors_pass(name, least):
    path = SMALL / "lm" / name
    report = checked(path, read(path))
    assert report.checked >= least
    assert not report.missed
    assert all(skipped.endswith("/generate_kwargs") for skipped in report.skipped)


def test_a_changed_vector_is_a_miss():
    folder = SMALL / "lm"
    arrays = read(folder / "span_corruption.npz")
    arrays["labels"] = arrays["labels"] + 1
    assert checked(folder / "other.npz", arrays).missed == ["labels"]
    cases = read(folder / "placeholder_fulfill.json")[:1]
    template = next(iter(cases[0]["results"]))
    cases[0]["results"][template] += "!"
    assert len(checked(folder / "other.json", cases).missed) == 1
    prompts = read(folder / "generate_conditional_prompts.json")
    prompts[1]["lengths"] //= 2
    assert checked(folder / "other.json", prompts).missed == ["[1]/inputs"]


def test_unknown_cases_are_named():
    report = checked(SMALL / "lm" / "new.json", [{"task": "dance"}])
    assert report.skipped == ["[0]"]
