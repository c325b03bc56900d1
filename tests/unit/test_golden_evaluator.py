"""The golden check of the T2M evaluator's networks can fail, and reads whatever a case holds."""

import json

import numpy as np
import pytest

from tests.golden.__main__ import check_file
from tests.golden.evaluator import check
from tests.golden.report import Report
from tests.shared import parity, shared

WRAPPER = "wrapper/"  # arrays that ../shared alone has begin so
COMPARED = (
    "movement_out",
    "motion_emb_released_unpacked",
    "motion_emb_t2m_packed",
    "motion_emb_released_unpacked_padded_to_80",
    "motion_emb_t2m_packed_padded_to_80",
    "text_emb",
    "text_emb_t2m",
    "wrapper/text_embedding",
    "wrapper/motion_embedding",
    "wrapper/get_motion_embeddings",
)
# Anything that decides a result must decide the verdict.
INPUTS = ("motions", "word_embs", "pos_onehot", "wrapper/motions", "sd/motion_encoder/hidden")


def report_of(folder, without=(), **changes):
    named = (*without, *changes)
    whole = any(name.startswith(WRAPPER) for name in named)
    path = shared("parity", "evaluator", "kit.npz") if whole else parity("evaluator/kit.npz")
    with np.load(path, allow_pickle=False) as arrays:
        kept = {name: array for name, array in arrays.items() if name not in without}
    path = folder / "evaluator" / "another_name.npz"
    path.parent.mkdir()
    np.savez(path, **{**kept, **{name: change(kept[name]) for name, change in changes.items()}})
    report = Report()
    check_file(path, check, report, folder)
    return report


def spoilt(array):
    array = array.copy()
    array[(1,) * array.ndim if array.shape[1] > 1 else (1, 0, 1)] += 5e-5
    return array


def test_an_unspoilt_case_passes_under_any_name(tmp_path):
    report = report_of(tmp_path)
    assert not report.failed
    assert not report.cases["evaluator/another_name.npz"].unchecked


@pytest.mark.parametrize("name", COMPARED)
def test_one_wrong_value_is_a_miss(tmp_path, name):
    report = report_of(tmp_path, **{name: spoilt})
    misses = report.cases["evaluator/another_name.npz"].misses
    assert misses and all(miss.startswith(name) for miss in misses)


@pytest.mark.parametrize("name", INPUTS)
def test_other_inputs_are_a_miss(tmp_path, name):
    assert report_of(tmp_path, **{name: lambda array: array + 0.1}).failed


@pytest.mark.parametrize("name", ["motion_lens", "cap_lens", "wrapper/m_lens", "wrapper/align_idx"])
def test_other_lengths_and_order_are_a_miss(tmp_path, name):
    assert report_of(tmp_path, **{name: lambda array: np.roll(array, 1)}).failed


def test_what_is_absent_is_not_asked_for(tmp_path):
    report = report_of(tmp_path, without=("movement_out", "text_emb_t2m", "wrapper/motions"))
    case = report.cases["evaluator/another_name.npz"]
    assert not case.misses
    assert {line.split(":")[0] for line in case.unchecked} >= {"wrapper/motion_embedding"}


@pytest.mark.parametrize("change", ["shape", "missing", "further"])
def test_names_and_shapes_must_be_equal(tmp_path, change):
    path = parity("evaluator/full_size_state_dict_shapes.json")
    shapes = json.loads(path.read_text())
    if change == "shape":
        shapes["motion_encoder"]["hidden"][2] += 1
    elif change == "missing":
        del shapes["text_encoder"]["pos_emb.bias"]
    else:
        shapes["wings"] = {"weight": [3]}
    report = Report()
    check(path, shapes, report, tmp_path)
    assert len(report.cases[f"evaluator/{path.name}"].misses) == 1
