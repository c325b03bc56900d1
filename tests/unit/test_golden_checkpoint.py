"""The check of the released checkpoint's shapes can fail."""

import json
from pathlib import Path

import pytest

from tests.golden.__main__ import check_file
from tests.golden.checkpoint import check
from tests.golden.report import Report
from tests.unit.original_checkpoints import FURTHER, state_of, t5, vq_vae

WORDS, K = 40, 16
MODEL = {
    name: list(tensor.shape)
    for name, tensor in state_of(vq_vae(K), t5(WORDS + K + 3)).items()
    if name not in FURTHER
}
LAST = "lm.language_model.decoder.final_layer_norm.weight"


def failed(folder: Path, shapes: dict[str, list[int]]) -> bool:
    path = folder / "checkpoint" / "shapes.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(shapes))
    report = Report()
    check_file(path, check, report, folder)
    return report.failed


def test_the_right_shapes_pass(tmp_path):
    assert not failed(tmp_path, MODEL)
    assert not failed(tmp_path, {name: list(tensor.shape) for name, tensor in FURTHER.items()})


@pytest.mark.parametrize(
    "changes",
    [
        {LAST: [23]},
        {"lm.language_model.extra.weight": [2]},
        {"vae.decoder.model.9.weight": [2]},
        {"vae.encoder.model.0.bias": [9]},
        {"clip.weight": [2]},
        {"metrics.hidden": [2]},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_other_shapes_miss(changes, tmp_path):
    assert failed(tmp_path, {**MODEL, **changes})


def test_a_missing_name_misses(tmp_path):
    assert failed(tmp_path, {name: shape for name, shape in MODEL.items() if name != LAST})
