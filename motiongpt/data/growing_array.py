"""A `.npy` file written row by row, for arrays larger than memory."""

from pathlib import Path
from typing import Self

import numpy as np
from numpy.lib import format as npy_format


class GrowingArray:
    """Append rows to a `.npy` file; its header is completed on leaving the `with` block.

    The file lies in a folder that is not yet in use (see replace_folder.py), so a kill half-way
    harms nobody.
    """

    def __init__(self, path: Path, row_shape: tuple[int, ...], dtype: type = np.float32) -> None:
        """Create `path` for rows of `row_shape`."""
        self.rows = 0
        self._row_shape = row_shape
        self._dtype = np.dtype(dtype)
        self._file = open(path, "wb")  # noqa: SIM115 - closed by __exit__
        self._write_header()
        self._start = self._file.tell()

    def append(self, rows: np.ndarray) -> None:
        """Append `rows` (N, *row_shape).

        Raises:
            ValueError: rows of another shape.
        """
        if rows.shape[1:] != self._row_shape:
            raise ValueError(f"rows of shape {rows.shape[1:]}, expected {self._row_shape}")
        self._file.write(np.ascontiguousarray(rows, self._dtype).tobytes())
        self.rows += len(rows)

    def _write_header(self) -> None:
        header = {
            "descr": npy_format.dtype_to_descr(self._dtype),
            "fortran_order": False,
            "shape": (self.rows, *self._row_shape),
        }
        npy_format.write_array_header_1_0(self._file, header)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        with self._file:
            self._file.seek(0)
            self._write_header()
            # numpy leaves room in the header for the first axis to grow
            assert self._file.tell() == self._start
