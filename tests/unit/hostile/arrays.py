"""Hostile and damaged .npy and .npz files."""

import io
import os
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from tests.unit.hostile.bombs import zip_of_zeros

HUGE = 10**12


def npy(array: np.ndarray, pickled: bool = False) -> bytes:
    """The bytes of a file of one array."""
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=pickled)
    return stream.getvalue()


def claims(shape: object, descr: object = "<f4", content: bytes = bytes(1_000)) -> bytes:
    """A file whose header says whatever it likes of the few bytes that follow."""
    said = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    return raw_header(said.encode()) + content


def raw_header(said: bytes) -> bytes:
    """The beginning of a file with this header, which need not be one."""
    said += b" " * (-(len(said) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(said).to_bytes(2, "little") + said


class Trap:
    """Leaves a file where it is unpickled."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self):
        return os.system, (f"touch {self.trace}",)


def trapped(root: Path) -> bytes:
    """An array that runs code where it is unpickled."""
    array = np.empty(1, object)
    array[0] = Trap(root / "executed")
    return npy(array, pickled=True)


MOTION = np.zeros((40, 263), np.float32)
GOOD = npy(MOTION)

NPY: Mapping[str, bytes] = {
    "empty": b"",
    "text": b"0.1 0.2 0.3\n" * 40,
    "magic_alone": GOOD[:8],
    "header_cut": GOOD[:40],
    "content_cut": GOOD[:-7],
    "content_gone": GOOD[:128],
    "version_9": GOOD.replace(b"NUMPY\x01", b"NUMPY\x09", 1),
    "frames_huge": claims((HUGE, 263)),
    "frames_overflow": claims((2**62, 263)),
    "frames_bigger_than_integers": claims((10**30, 263)),
    "frames_negative": claims((-1, 263)),
    "frames_true": claims((True, 263)),
    "frames_without_width": claims((HUGE, 0)),
    "axes_many": claims((1,) * 200),
    "shape_of_text": claims("40"),
    "shape_in_shape": claims(((40,), 263)),
    "object": npy(np.array([{}], object), pickled=True),
    "object_claimed": claims((40, 263), "|O"),
    "complex": npy(MOTION.astype(np.complex64)),
    "text_array": npy(np.full((40, 263), "one")),
    "bytes_array": npy(np.full((40, 263), b"one")),
    "dates": npy(np.zeros((40, 263), "datetime64[s]")),
    "structure": npy(np.zeros(40, [("a", "f4"), ("b", "f4")])),
    "bytes_of_no_size": claims((HUGE, 263), "|V0"),
    "item_huge": claims((1, 263), "|V2000000000"),
    "letters_huge": claims((40, 263), "<U500000000"),
    "nested_type": claims((1,), [("a", [("b", "<f4", (1_000_000, 1_000_000))])]),
    "type_unknown": claims((40, 263), "<q9"),
    "type_of_code": claims((40, 263), "__import__('os').system('touch executed')"),
    "header_of_code": raw_header(b"__import__('os').system('touch executed')"),
    "header_no_dictionary": raw_header(b"[1, 2]"),
    "header_brackets": raw_header(b"(" * 9_000),
    "header_minus": raw_header(b"-" * 9_000 + b"1"),
    "header_digits": raw_header(b"{'shape': (" + b"9" * 9_000 + b",)}"),
    "header_long": raw_header(b"{'a': '" + b"x" * 60_000 + b"'}"),
    "header_null": raw_header(b"{'descr': '<f4\0'}"),
    "header_open": raw_header(b"{'descr': '<f4', 'shape': (40,"),
    "not_finite": npy(np.full((40, 263), np.nan, np.float32)),
    "infinite": npy(np.full((40, 263), np.inf, np.float32)),
    "whole_numbers": npy(np.zeros((40, 263), np.int8)),
    "single_number": npy(np.float32(1.0)),
    "no_frames": npy(np.zeros((0, 263), np.float32)),
    "five_axes": npy(np.zeros((1, 1, 4, 22, 3), np.float32)),
}


def npz(**members: bytes | np.ndarray) -> bytes:
    """An archive of arrays, or of whatever else bears their names."""
    return zipped({f"{name}.npy": value for name, value in members.items()})


def zipped(members: Mapping[str, bytes | np.ndarray], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The same under any names."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, value in members.items():
            archive.writestr(name, npy(value) if isinstance(value, np.ndarray) else value)
    return stream.getvalue()


def patched(content: bytes, offset: int, value: bytes) -> bytes:
    """A zip of one member with bytes replaced in its own head and in the list at the end.

    Args:
        offset: in the head; the list has the same fields two bytes further on.
    """
    found = bytearray(content)
    for begin in (found.find(b"PK\x03\x04") + offset, found.find(b"PK\x01\x02") + offset + 2):
        found[begin : begin + len(value)] = value
    return bytes(found)


JOINTS = np.random.default_rng(0).normal(0, 0.3, (40, 22, 3)).astype(np.float32)
SOUND = npz(joints=JOINTS)
NPZ: Mapping[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "nothing_in_it": lambda: zipped({}),
    "cut": lambda: SOUND[: len(SOUND) // 2],
    "end_cut": lambda: SOUND[:-9],
    "flipped": lambda: SOUND[:200] + bytes([SOUND[200] ^ 255]) + SOUND[201:],
    "encrypted": lambda: patched(SOUND, 6, b"\x01\x00"),
    "method_99": lambda: patched(SOUND, 8, b"\x63\x00"),
    "method_bzip2_of_nothing": lambda: patched(SOUND, 8, b"\x0c\x00"),
    "size_lies_small": lambda: patched(SOUND, 22, b"\x10\0\0\0"),
    "size_lies_big": lambda: patched(SOUND, 22, b"\xf0\xff\xff\xff"),
    "member_text": lambda: npz(joints=b"no array"),
    "member_huge": lambda: npz(joints=claims((HUGE, 22, 3))),
    "member_object": lambda: npz(joints=npy(np.array([{}], object), pickled=True)),
    "rate_array": lambda: npz(joints=JOINTS, fps=np.array([20.0, 30.0])),
    "rate_empty": lambda: npz(joints=JOINTS, fps=np.zeros(0)),
    "rate_text": lambda: npz(joints=JOINTS, fps=np.array("fast")),
    "rate_nan": lambda: npz(joints=JOINTS, fps=np.array(np.nan)),
    "rate_negative": lambda: npz(joints=JOINTS, fps=np.array(-20.0)),
    "rate_tiny": lambda: npz(joints=JOINTS, fps=np.array(1e-300)),
    "rate_complex": lambda: npz(joints=JOINTS, fps=np.array(20j)),
    "rate_object": lambda: npz(joints=JOINTS, fps=npy(np.array([{}], object), pickled=True)),
    "skeleton_array": lambda: npz(joints=JOINTS, skeleton=np.zeros(9)),
    "skeleton_unknown": lambda: npz(joints=JOINTS, skeleton=np.array("x" * 100_000)),
    "captions_number": lambda: npz(joints=JOINTS, captions=np.array(5)),
    "captions_surrogate": lambda: npz(
        joints=JOINTS, captions=npy(np.array(["aaaa"])).replace(b"a\0\0\0", b"\0\xd8\0\0")
    ),
    "captions_beyond_unicode": lambda: npz(
        joints=JOINTS, captions=npy(np.array(["aaaa"])).replace(b"a\0\0\0", b"\xff\xff\xff\x7f")
    ),
    "given_wrong": lambda: npz(joints=JOINTS, given=np.zeros((3, 3))),
    "given_text": lambda: npz(joints=JOINTS, given=np.array(["yes"] * 40)),
    "features_wrong": lambda: npz(joints=JOINTS, features=np.zeros((2, 263), np.float32)),
    "joints_text": lambda: npz(joints=np.full((40, 22, 3), "one")),
    "joints_complex": lambda: npz(joints=JOINTS.astype(complex)),
    "joints_flat": lambda: npz(joints=np.zeros(9)),
    "joints_nan": lambda: npz(joints=JOINTS * np.nan),
    "other_names": lambda: npz(**{f"a{n}": np.zeros(1) for n in range(5_000)}),
    "bomb": lambda: zip_of_zeros("joints.npy", 48, claims((12_201_611, 22, 3), content=b"")),
}  # fmt: skip
