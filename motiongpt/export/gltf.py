"""Binary glTF 2.0 (.glb): arrays as accessors of one buffer, and the JSON that tells of them.

The format: https://registry.khronos.org/glTF/specs/2.0/glTF-2.0.html.
"""

import json
import struct
from typing import Any

import numpy as np

FLOAT, UNSIGNED_BYTE, UNSIGNED_SHORT = 5126, 5121, 5123
_COMPONENTS = {
    np.dtype("<f4"): FLOAT,
    np.dtype("u1"): UNSIGNED_BYTE,
    np.dtype("<u2"): UNSIGNED_SHORT,
}
_TYPES = {(): "SCALAR", (2,): "VEC2", (3,): "VEC3", (4,): "VEC4", (4, 4): "MAT4"}
ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963  # what a view is for: vertices, or corners
_JSON, _BIN = 0x4E4F534A, 0x004E4942  # kinds of chunks


class Buffer:
    """Arrays put one after the other, each an accessor with a number."""

    def __init__(self) -> None:
        self.accessors: list[dict[str, Any]] = []
        self.views: list[dict[str, Any]] = []
        self._parts: list[bytes] = []
        self._length = 0

    def add(self, array: np.ndarray, target: int | None = None, limits: bool = False) -> int:
        """Put in an array (N, …) of float32, uint8 or uint16; returns its accessor's number.

        A matrix (N, 4, 4) is given by rows, and stored by columns as glTF has it.

        Args:
            target: what the graphics card uses it for; None for animations and the like.
            limits: whether the accessor says the smallest and largest values.
        """
        if array.shape[1:] == (4, 4):
            array = array.transpose(0, 2, 1)
        array = np.ascontiguousarray(array)
        content = array.tobytes()
        view: dict[str, Any] = {
            "buffer": 0,
            "byteOffset": self._length,
            "byteLength": len(content),
        }
        if target is not None:
            view["target"] = target
        accessor: dict[str, Any] = {
            "bufferView": len(self.views),
            "componentType": _COMPONENTS[array.dtype],
            "count": len(array),
            "type": _TYPES[array.shape[1:]],
        }
        if limits:
            flat = array.reshape(len(array), -1)
            accessor["min"] = flat.min(0).tolist()
            accessor["max"] = flat.max(0).tolist()
        padding = b"\0" * (-len(content) % 4)
        self._parts += [content, padding]
        self._length += len(content) + len(padding)
        self.views.append(view)
        self.accessors.append(accessor)
        return len(self.accessors) - 1

    def content(self) -> bytes:
        """All arrays, padded to whole words."""
        return b"".join(self._parts)


def glb_bytes(document: dict[str, Any], buffer: Buffer) -> bytes:
    """A whole file of a document and the buffer that its accessors' numbers mean."""
    content = buffer.content()
    whole = document | {
        "accessors": buffer.accessors,
        "bufferViews": buffer.views,
        "buffers": [{"byteLength": len(content)}],
    }
    said = json.dumps(whole, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    said += b" " * (-len(said) % 4)
    chunks = [
        struct.pack("<II", len(part), kind) + part
        for part, kind in ((said, _JSON), (content, _BIN))
    ]
    length = 12 + sum(map(len, chunks))
    return struct.pack("<4sII", b"glTF", 2, length) + b"".join(chunks)
