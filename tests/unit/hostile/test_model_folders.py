"""Damaged and hostile model folders."""

import json
import shutil
import struct

import pytest
import torch
from safetensors.torch import save_file

from motiongpt.api.opening import open_model
from motiongpt.checksums import CHECKSUMS
from motiongpt.errors import UserError
from tests.unit.hostile.harness import (
    ODD_FILES,
    bounded_memory,
    check_line,
)
from tests.unit.hostile.json_texts import DEEP, JSON
from tests.unit.tiny_models import tiny_model_folder

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    return tiny_model_folder(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def model(tiny, tmp_path):
    """A stranger's, who writes checksums of his own, or none."""
    copy = shutil.copytree(tiny, tmp_path / "model")
    (copy / CHECKSUMS).unlink()
    return copy


def refused(folder, *says):
    with bounded_memory(), pytest.raises(UserError) as caught:
        open_model(folder, "cpu")
    check_line(str(caught.value), says)


def lying(header: object, content: bytes = bytes(64), length: int | None = None) -> bytes:
    """A safetensors file whose head says whatever it likes."""
    text = header.encode() if isinstance(header, str) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + content


def tensor(dtype="F32", shape=(4, 4), offsets=(0, 64)) -> dict[str, object]:
    return {"mean": {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}}


SAFETENSORS = {
    "empty": b"",
    "zeros": bytes(64),
    "text": b"no tensors here at all",
    "head_huge": lying({}, length=1 << 62),
    "head_100_mb": lying({}, length=100 << 20),
    "head_cut": lying(tensor(), length=500),
    "head_deep": lying(DEEP),
    "head_list": lying([1, 2]),
    "head_surrogate": lying('{"\\ud800": 1}'),
    "shape_huge": lying(tensor(shape=(1 << 40, 1 << 40))),
    "shape_overflow": lying(tensor(shape=(1 << 63, 2))),
    "shape_negative": lying(tensor(shape=(-4, 4))),
    "offsets_beyond": lying(tensor(offsets=(0, 1 << 40))),
    "offsets_backwards": lying(tensor(offsets=(64, 0))),
    "offsets_overlap": lying({**tensor(), "std": tensor()["mean"]}),
    "type_unknown": lying(tensor(dtype="Q99")),
    "type_other": lying(tensor(dtype="I8", shape=(64,))),
    "left_over": lying(tensor(), content=bytes(9_999)),
    "other_weights": lying(tensor()),
    "nothing_in_it": lying({}, b""),
}


@pytest.mark.parametrize(
    "part", ["codec/tokenizer.safetensors", "language_model/model/model.safetensors"]
)
@pytest.mark.parametrize("name", SAFETENSORS)
def test_lying_weights_are_refused(part, name, model):
    assert (model / part).is_file(), sorted(map(str, model.rglob("*")))
    (model / part).write_bytes(SAFETENSORS[name])
    refused(model, part.partition("/")[0])


WEIGHTS = {
    "nan": lambda t: t * float("nan"),
    "infinite": lambda t: t + float("inf"),
    "int8": lambda t: t.to(torch.int8),
    "boolean": lambda t: t > 0,
    "half_the_rows": lambda t: t[: len(t) // 2].clone(),
}


@pytest.mark.parametrize("weight", ["mean", "encoder.input_convolution.weight"])
@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_that_are_none_are_refused(weight, name, model):
    from safetensors.torch import load_file

    path = model / "codec" / "tokenizer.safetensors"
    state = load_file(path)
    key = next(one for one in state if one.endswith(weight))
    save_file(state | {key: WEIGHTS[name](state[key])}, path)
    refused(model, "tokenizer.safetensors", weight)


DESCRIPTIONS = (
    "motiongpt.json", "codec/tokenizer.json", "language_model/backbone.json",
    "language_model/model/config.json",
)  # fmt: skip


@pytest.mark.parametrize("file", DESCRIPTIONS)
@pytest.mark.parametrize("name", JSON)
def test_damaged_descriptions_are_refused(file, name, model):
    assert (model / file).is_file()
    content = JSON[name]
    (model / file).write_bytes(content if isinstance(content, bytes) else content.encode())
    refused(model, file.partition("/")[0])


@pytest.mark.parametrize("file", DESCRIPTIONS)
@pytest.mark.parametrize("kind", ["fifo", "directory", "device", "loop", "gone"])
def test_what_is_no_description_is_refused(file, kind, model):
    path = model / file
    path.unlink()
    ODD_FILES[kind](path)
    refused(model)


CHANGES = {
    "fps_huge": {"fps": 1e308 * 10},
    "fps_text": {"fps": "fast"},
    "fps_list": {"fps": [20]},
    "skeleton_list": {"skeleton": ["humanml3d"]},
    "skeleton_dictionary": {"skeleton": {}},
    "method_list": {"method": []},
    "method_escape": {"method": "\x1b[2J"},
    "method_path": {"method": "../../x"},
    "parts_above": {"parts": ["../../../../tmp", "language_model"]},
    "parts_absolute": {"parts": ["/etc", "language_model"]},
    "parts_null": {"parts": ["a\0b", "language_model"]},
    "parts_text": {"parts": "codec"},
    "parts_number": {"parts": 5},
    "parts_none": {"parts": []},
    "source_list": {"source": [1]},
    "format_list": {"format": [1]},
}


@pytest.mark.parametrize("name", CHANGES)
def test_impossible_descriptions_are_refused(name, model):
    path = model / "motiongpt.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | CHANGES[name]))
    refused(model)


ARGUMENTS = {
    "width_huge": {"width": 10**9},
    "width_beyond": {"width": 10**30},
    "width_negative": {"width": -1},
    "width_zero": {"width": 0},
    "width_text": {"width": "16"},
    "width_list": {"width": [16]},
    "depth_huge": {"depth": 10**9},
    "depth_many": {"depth": 200_000},
    "codes_huge": {"codebook_size": 10**12},
    "features_huge": {"n_features": 10**12},
    "frames_huge": {"frames_per_token": 2**4_000},
    "frames_odd": {"frames_per_token": 3},
    "growth_huge": {"dilation_growth": 10**9, "depth": 60},
    "activation_code": {"activation": "__import__('os').system('x')"},
    "quantizer_code": {"quantizer": "os.system"},
    "unknown": {"colour": "red"},
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_impossible_sizes_are_refused(name, model):
    path = model / "codec" / "tokenizer.json"
    found = json.loads(path.read_text())
    found["arguments"] |= ARGUMENTS[name]
    path.write_text(json.dumps(found))
    refused(model, "codec")
