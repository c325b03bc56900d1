"""Strings in two memory-mapped arrays, so that a table of any size opens at once."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np

from motiongpt.arrays import map_array
from motiongpt.errors import UserError
from motiongpt.files import save_array


def _check_offsets(offsets: np.ndarray, end: int, file: str) -> None:
    if offsets.dtype != np.int64 or offsets.ndim != 1 or not len(offsets):
        raise ValueError(f"{file} has {offsets.dtype} of shape {offsets.shape}, expected offsets")
    if offsets[0] != 0 or offsets[-1] != end or (offsets[1:] < offsets[:-1]).any():
        raise ValueError(f"the offsets in {file} do not fit: expected them from 0 to {end}, rising")


class StringTable(Sequence[str]):
    """N strings: their UTF-8 bytes end to end, and N + 1 offsets into them."""

    def __init__(self, content: np.ndarray, offsets: np.ndarray, where: str = "") -> None:
        """Wrap `content` (bytes,) uint8 and `offsets` (N + 1,) int64; `where` they are from."""
        self.where = where
        self.content = content
        self.offsets = offsets

    @classmethod
    def open(cls, folder: Path, name: str) -> "StringTable":
        """Open the table that `write` made; raises OSError or ValueError where it is broken."""
        content = map_array(folder / f"{name}.bytes.npy")
        offsets = map_array(folder / f"{name}.offsets.npy")
        _check_offsets(offsets, len(content), f"{name}.offsets.npy")
        if content.dtype != np.uint8:
            raise ValueError(f"{name}.bytes.npy has {content.dtype}, expected bytes")
        return cls(content, offsets, str(folder / f"{name}.bytes.npy"))

    @staticmethod
    def write(folder: Path, name: str, strings: Iterable[str]) -> None:
        """Write the table's two files into `folder`."""
        encoded = [string.encode() for string in strings]
        offsets = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum([len(item) for item in encoded], out=offsets[1:])
        save_array(folder / f"{name}.bytes.npy", np.frombuffer(b"".join(encoded), np.uint8))
        save_array(folder / f"{name}.offsets.npy", offsets)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        """String at `index`, or a list of them for a slice."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(f"string {index} of {len(self)}")
        content = self.content[self.offsets[index] : self.offsets[index + 1]].tobytes()
        try:
            return content.decode()
        except UnicodeDecodeError as error:
            raise UserError(
                f"{self.where}: text {index} is no UTF-8, the file is damaged; make it anew "
                f"({error.reason})"
            ) from error


class StringLists(Sequence[tuple[str, ...]]):
    """N lists of strings of different lengths: one table, and N + 1 offsets into it."""

    def __init__(self, table: StringTable, starts: np.ndarray) -> None:
        """Wrap a table of all strings and `starts` (N + 1,) int64."""
        self.table = table
        self.starts = starts

    @classmethod
    def open(cls, folder: Path, name: str) -> "StringLists":
        """Open the lists that `write` made; raises OSError or ValueError where they are broken."""
        table = StringTable.open(folder, name)
        starts = map_array(folder / f"{name}.starts.npy")
        _check_offsets(starts, len(table), f"{name}.starts.npy")
        return cls(table, starts)

    @staticmethod
    def write(folder: Path, name: str, lists: Sequence[Sequence[str]]) -> None:
        """Write the table's files and the lists' offsets into `folder`."""
        StringTable.write(folder, name, (string for strings in lists for string in strings))
        starts = np.zeros(len(lists) + 1, np.int64)
        np.cumsum([len(strings) for strings in lists], out=starts[1:])
        save_array(folder / f"{name}.starts.npy", starts)

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def counts(self) -> np.ndarray:
        """Strings of each list, (N,) int64."""
        return np.diff(self.starts)

    def __getitem__(self, index):  # type: ignore[no-untyped-def]
        """Strings of list `index`, or a list of such tuples for a slice."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(f"list {index} of {len(self)}")
        return tuple(self.table[int(self.starts[index]) : int(self.starts[index + 1])])
