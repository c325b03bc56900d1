"""Arrays of unknown origin: `.npy` and `.npz` files whose headers are compared with their bytes."""

import math
import sys
import zipfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias

import numpy as np
from numpy.lib import format as npy_format

from motiongpt.reading import ZIP_ERRORS, check_members, file_size

MOST_BYTES = 512 << 20  # of an array in memory: 7 hours of HumanML3D's features
PLAIN_KINDS = "biufUS"  # numbers and text; complex numbers, dates and structures are no data here
Header: TypeAlias = tuple[tuple[int, ...], bool, np.dtype[Any]]
HEADERS: Mapping[tuple[int, int], Callable[..., Any]] = {
    (1, 0): npy_format.read_array_header_1_0,
    (2, 0): npy_format.read_array_header_2_0,
}


def read_array(path: Path | str, most: int = MOST_BYTES) -> np.ndarray:
    """The array of an `.npy` file; pickled objects are never unpickled.

    Raises:
        OSError: no such file, or no plain file.
        ValueError: not one whole array of plain numbers or text, or one of more than `most` bytes.
    """
    size = file_size(path)
    with Path(path).open("rb") as stream:
        return _array(stream, size, most)


def read_arrays(
    path: Path | str, most: int = MOST_BYTES, only: Collection[str] | None = None
) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` file by name.

    Args:
        only: names of those that are read, of which some may be absent; None for all.

    Raises:
        OSError: as `read_array`.
        ValueError: damaged, encrypted, or as `read_array`; names the array.
    """
    file_size(path)
    found = {}
    try:
        with zipfile.ZipFile(path) as archive:
            check_members(archive, most)
            for member in archive.infolist():
                name = member.filename.removesuffix(".npy")
                if only is not None and name not in only:
                    continue
                try:
                    with archive.open(member) as stream:
                        found[name] = _array(stream, member.file_size, most)
                except ZIP_ERRORS as error:
                    raise ValueError(f"{name}: {error or type(error).__name__}") from error
    except zipfile.BadZipFile as error:
        raise ValueError(f"no whole .npz file: {error}") from error
    except ZIP_ERRORS as error:
        raise ValueError(f"{error or type(error).__name__}") from error
    return found


def map_array(path: Path | str) -> np.ndarray:
    """The array of an `.npy` file, mapped and read-only: it takes no memory until it is used.

    Raises:
        OSError, ValueError: as `read_array`; names the file.
    """
    size = file_size(path)
    try:
        with Path(path).open("rb") as stream:
            shape, fortran_order, dtype = _checked_header(stream, size)
            begin = stream.tell()
    except ValueError as error:
        raise ValueError(f"{Path(path).name}: {error}") from error
    order: Literal["F", "C"] = "F" if fortran_order else "C"
    if not math.prod(shape):  # nothing can't be mapped
        return np.empty(shape, dtype)
    # a plain view of the map: indexing np.memmap itself is several times slower
    return np.memmap(path, dtype, "r", begin, shape, order).view(np.ndarray)


def _array(stream: IO[bytes], size: int, most: int) -> np.ndarray:
    shape, fortran_order, dtype = _checked_header(stream, size)
    wanted = math.prod(shape) * dtype.itemsize
    if wanted > most:
        raise ValueError(f"{wanted:,} bytes, at most {most:,} are read")
    content = bytearray(stream.read(wanted))  # a bytearray, so that the array can be written to
    if len(content) != wanted:
        raise ValueError(f"cut off after {len(content):,} of {wanted:,} bytes")
    if dtype.kind == "U" and wanted:
        letters = np.frombuffer(content, np.dtype("u4").newbyteorder(dtype.byteorder))
        if (letters > sys.maxunicode).any():
            raise ValueError("texts with letters beyond Unicode")
    return np.ndarray(shape, dtype, content, order="F" if fortran_order else "C")


def _checked_header(stream: IO[bytes], size: int) -> Header:
    """Shape, whether in Fortran's order, and type; of a file that has as many bytes as they take.

    Args:
        size: bytes of the whole file.
    """
    shape, fortran_order, dtype = _header(stream)
    wanted, there = math.prod(shape) * dtype.itemsize, size - stream.tell()
    if wanted > there:
        raise ValueError(
            f"cut off, or its header lies: shape {shape} of {dtype} takes {wanted:,} bytes, "
            f"{there:,} are there"
        )
    return shape, fortran_order, dtype


def _header(stream: IO[bytes]) -> Header:
    try:
        version = npy_format.read_magic(stream)
        if version not in HEADERS:
            raise ValueError(f"version {version[0]}.{version[1]} of the format is not read")
        shape, fortran_order, dtype = HEADERS[version](stream)
    except Exception as error:  # a crafted header may make numpy's parser raise anything
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ValueError(f"no header of an array: {reason}") from error
    if dtype.hasobject:
        raise ValueError("pickled objects, which are not read; save a plain array of numbers")
    if dtype.kind not in PLAIN_KINDS or dtype.subdtype is not None or not dtype.itemsize:
        raise ValueError(f"an array of {dtype}; expected plain numbers")
    if any(length < 0 for length in shape):
        raise ValueError(f"shape {shape} has a negative length")
    return shape, fortran_order, dtype
