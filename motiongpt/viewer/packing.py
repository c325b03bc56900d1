"""Numbers as a page carries them: base64 of gzip, which `page/arrays.js` reads.

16-bit numbers are stored as differences from row to row, all low bytes before all high ones: what
moves smoothly becomes mostly zeros.
"""

import base64
import gzip
from typing import Any

import numpy as np

Packed = dict[str, Any]
MOST = 32767  # of an int16


def packed(array: np.ndarray) -> Packed:
    """Uint8 or uint16 as they are, other numbers as float32."""
    if array.dtype == np.uint8:
        return _of("u1", array.tobytes(), array.shape)
    if array.dtype == np.uint16:
        return _of("u2", _by_rows(array), array.shape)
    return _of("f4", np.ascontiguousarray(array, "<f4").tobytes(), array.shape)


def quantised(array: np.ndarray, step: float = 0.0) -> Packed:
    """Finite numbers as int16.

    Args:
        step: between neighbouring numbers, where they need not be finer: what moves less packs
            better. Below 1/32,767 of the largest, as 0 is, that is taken.
    """
    scale = max(float(np.abs(array).max(initial=0.0)) / MOST, step, 1e-9 / MOST)
    whole = np.round(array / scale).astype("<i2")
    return _of("i2", _by_rows(whole.view("<u2")), array.shape) | {"scale": scale}


def _by_rows(array: np.ndarray) -> bytes:
    rows = array.reshape(len(array), -1).astype("<u2")
    steps = np.concatenate([rows[:1], rows[1:] - rows[:-1]]).ravel()  # modulo 65,536
    low, high = steps & 0xFF, steps >> 8
    return low.astype("u1").tobytes() + high.astype("u1").tobytes()


def _of(kind: str, content: bytes, shape: tuple[int, ...]) -> Packed:
    small = gzip.compress(content, compresslevel=9, mtime=0)  # no clock: the same page every time
    return {"kind": kind, "shape": list(shape), "data": base64.b64encode(small).decode()}
