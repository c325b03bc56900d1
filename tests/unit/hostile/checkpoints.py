"""Hostile and damaged checkpoints: what `motiongpt import-checkpoint` is given."""

import io
import os
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tests.unit.hostile.arrays import Trap, patched
from tests.unit.original_checkpoints import original_vq_vae, vq_vae

EDGE, BOOK = "vae.encoder.model.0.weight", "vae.quantizer.codebook"
State = dict[str, Any]


def sound() -> State:
    """A small VQ-VAE under its released names."""
    return OrderedDict(original_vq_vae(vq_vae()))


def saved(content: Any, **options: Any) -> bytes:
    """The bytes of a file of torch.save."""
    stream = io.BytesIO()
    torch.save(content, stream, **options)
    return stream.getvalue()


def with_weight(name: str, change: Callable[[Tensor], Any]) -> Callable[[], bytes]:
    """The sound checkpoint with one weight changed."""

    def build() -> bytes:
        state = sound()
        state[name] = change(state[name])
        return saved({"state_dict": state})

    return build


def without_or_with(gone: str = "", **more: Any) -> Callable[[], bytes]:
    """The sound checkpoint without a weight, or with others."""

    def build() -> bytes:
        state = sound()
        state.pop(gone, None)
        return saved({"state_dict": state | more})

    return build


def spoilt(value: float) -> Callable[[Tensor], Tensor]:
    """One number of a weight replaced."""

    def change(tensor: Tensor) -> Tensor:
        tensor = tensor.clone()
        tensor.view(-1)[tensor.numel() // 2] = value
        return tensor

    return change


WEIGHTS: Mapping[str, Callable[[], bytes]] = {
    "nan": with_weight(EDGE, spoilt(float("nan"))),
    "nan_in_codebook": with_weight(BOOK, spoilt(float("nan"))),
    "infinite": with_weight(EDGE, spoilt(float("inf"))),
    "minus_infinite_bias": with_weight("vae.decoder.model.0.bias", spoilt(-float("inf"))),
    "int8": with_weight(EDGE, lambda t: t.to(torch.int8)),
    "int64": with_weight(EDGE, lambda t: t.to(torch.int64)),
    "boolean": with_weight(BOOK, lambda t: t > 0),
    "complex64": with_weight(EDGE, lambda t: t.to(torch.complex64)),
    "complex_codebook": with_weight(BOOK, lambda t: t.to(torch.complex64)),
    "quantized": with_weight(EDGE, lambda t: torch.quantize_per_tensor(t, 0.1, 0, torch.qint8)),
    "sparse": with_weight(EDGE, lambda t: t.to_sparse()),
    "sparse_rows": with_weight(BOOK, lambda t: t.to_sparse_csr()),
    "stride_0": with_weight(EDGE, lambda t: t[:1, :1, :1].clone().expand(t.shape)),
    "stride_0_codebook": with_weight(BOOK, lambda t: t[:1].clone().expand(t.shape)),
    "stride_0_huge": with_weight(BOOK, lambda t: torch.zeros(1).expand(10**9, 8)),
    "stride_0_wide": with_weight(EDGE, lambda t: torch.zeros(1).expand(10**8, 263, 3)),
    "empty_and_huge": with_weight(BOOK, lambda t: torch.zeros(10**12, 0)),
    "no_axes": with_weight(BOOK, lambda t: torch.tensor(1.0)),
    "many_axes": with_weight(EDGE, lambda t: t.reshape(1, 1, 1, *t.shape)),
    "meta": with_weight(EDGE, lambda t: t.to("meta")),
    "list": with_weight(EDGE, lambda t: t.tolist()),
    "none": with_weight(BOOK, lambda t: None),
    "text": with_weight(BOOK, lambda t: "0.1"),
    "other_width": with_weight(EDGE, lambda t: t[:, :100].clone()),
    "wide": with_weight(EDGE, lambda t: torch.zeros(200_000, 263, 3, dtype=torch.float16)[:50_000]),
    "codebook_gone": without_or_with(BOOK),
    "layer_left_over": without_or_with(**{"vae.encoder.model.99.weight": torch.zeros(1)}),
    "depth_huge": without_or_with(
        **{"vae.encoder.model.2.1.model.999999999.conv1.weight": torch.zeros(1)}
    ),
    "depth_digits": without_or_with(
        **{f"vae.encoder.model.2.1.model.{'9' * 5_000}.conv1.weight": torch.zeros(1)}
    ),
    "layers_many": without_or_with(
        **{f"vae.encoder.model.{n}.0.weight": torch.zeros(1) for n in range(9, 3_000)}
    ),
    "name_escape": without_or_with(**{"vae.\x1b[2J\n": torch.zeros(1)}),
    "name_long": without_or_with(**{"vae." + "x" * 100_000: torch.zeros(1)}),
    "name_surrogate": without_or_with(**{"vae.\ud800": torch.zeros(1)}),
    "nothing": lambda: saved({"state_dict": {}}),
    "list_of_tensors": lambda: saved([torch.zeros(1)]),
    "number": lambda: saved(5),
    "network": lambda: saved(torch.nn.Linear(1, 1)),
    "deep": lambda: saved({"state_dict": {EDGE: nested(400)}}),
    "itself": lambda: saved(itself()),
    "old_format_nan": lambda: saved(
        {"state_dict": sound() | {EDGE: sound()[EDGE] * float("nan")}},
        _use_new_zipfile_serialization=False,
    ),
    "old_format_int8": lambda: saved(
        {"state_dict": sound() | {EDGE: sound()[EDGE].to(torch.int8)}},
        _use_new_zipfile_serialization=False,
    ),
}  # fmt: skip


def nested(depth: int) -> Any:
    """A list in a list …"""
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


def itself() -> dict[str, Any]:
    """A dictionary that holds itself."""
    found: dict[str, Any] = {}
    found["state_dict"] = found
    return found


def with_pickle(stream: bytes, name: str = "archive/data.pkl") -> bytes:
    """A checkpoint whose pickle is `stream`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(name, stream)
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/byteorder", "little")
    return out.getvalue()


GOOD = saved({"state_dict": sound()})
OLD = saved({"state_dict": sound()}, _use_new_zipfile_serialization=False)
BYTES: Mapping[str, Callable[[Path], bytes]] = {
    "empty": lambda root: b"",
    "text": lambda root: b"not a checkpoint\n" * 99,
    "page": lambda root: b"<!DOCTYPE html><script>alert(1)</script>",
    "pointer": lambda root: b"version https://git-lfs.github.com/spec/v1\n",
    "magic_alone": lambda root: b"PK\x03\x04",
    "cut": lambda root: GOOD[: len(GOOD) // 2],
    "end_cut": lambda root: GOOD[:-20],
    "flipped": lambda root: GOOD[:9_000] + bytes([GOOD[9_000] ^ 1]) + GOOD[9_001:],
    "encrypted": lambda root: patched(GOOD, 6, b"\x01\x08"),
    "method_99": lambda root: patched(GOOD, 8, b"\x63\x00"),
    "no_pickle": lambda root: with_pickle(b"", "archive/other"),
    "pickle_empty": lambda root: with_pickle(b""),
    "pickle_cut": lambda root: with_pickle(pickle.dumps({"a": 1}, 2)[:-3]),
    "pickle_of_code": lambda root: with_pickle(pickle.dumps({"a": Trap(root / "executed")}, 2)),
    "pickle_of_code_5": lambda root: with_pickle(pickle.dumps(Trap(root / "executed"), 5)),
    "pickle_of_eval": lambda root: with_pickle(
        f"cbuiltins\neval\n(Vopen({str(root / 'executed')!r}, 'w')\ntR.".encode()
    ),
    "pickle_deep": lambda root: with_pickle(b"\x80\x02" + b"]" * 200_000 + b"a" * 199_999 + b"."),
    "pickle_memo": lambda root: with_pickle(b"\x80\x02h\xff."),
    "pickle_stack": lambda root: with_pickle(b"\x80\x02" + b"0" * 50 + b"."),
    "pickle_digits": lambda root: with_pickle(b"I" + b"9" * 9_000 + b"\n."),
    "pickle_length": lambda root: with_pickle(b"\x80\x02X\xff\xff\xff\x7fa."),
    "old_cut": lambda root: OLD[: len(OLD) // 2],
    "old_of_code": lambda root: pickle.dumps(Trap(root / "executed"), 2),
    "tar": lambda root: b"\0" * 257 + b"ustar\x0000" + b"\0" * 247 + b"\0" * 1024,
}
PLACES: Mapping[str, Callable[[Path], object]] = {
    "fifo": os.mkfifo,
    "directory": lambda path: path.mkdir(),
    "device": lambda path: path.symlink_to("/dev/zero"),
    "loop": lambda path: path.symlink_to(path),
    "gone": lambda path: None,
}
