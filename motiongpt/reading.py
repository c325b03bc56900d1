"""Reading files of unknown origin: plain files only, no more than a bound, nothing half understood.

A name may lead to a pipe that blocks for ever or to a device that never ends, and few bytes may
stand for very many: what is read is looked at first.
"""

import errno
import json
import lzma
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path
from typing import Any

MOST_TEXT = 64 << 20  # bytes of a text: captions of 100,000 clips take 20 MB
PLAIN_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
ENCRYPTED = 0x1  # flag of a member of a zip archive

# What zipfile, and the decompressors behind it, raise for archives that are damaged or crafted.
ZIP_ERRORS = (
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, RuntimeError, struct.error,
    ValueError, OverflowError, IndexError,
)  # fmt: skip


def file_size(path: Path | str) -> int:
    """Bytes of a plain file, or of one that a link leads to.

    Raises:
        OSError: nothing there, or something else than a file: a folder, a pipe, a device.
    """
    try:
        found = os.stat(path)
    except ValueError:  # a null byte in the name
        raise OSError(errno.EINVAL, "no name of a file", str(path)) from None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "a pipe or a device, not a file", str(path))
    return found.st_size


def read_bytes(path: Path | str, most: int = MOST_TEXT) -> bytes:
    """Content of a plain file of at most `most` bytes.

    Raises:
        OSError: see `file_size`, or a larger file.
    """
    size = file_size(path)
    if size > most:
        raise OSError(errno.EFBIG, f"{size:,} bytes, at most {most:,} are read", str(path))
    return Path(path).read_bytes()


def read_text(path: Path | str, encoding: str = "utf-8", most: int = MOST_TEXT) -> str:
    r"""The same as text, every line ending in `\n`.

    Raises:
        OSError: as `read_bytes`.
        UnicodeDecodeError: it is not text of this encoding.
    """
    text = read_bytes(path, most).decode(encoding)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def parse_json(text: str | bytes) -> Any:
    """What a JSON text says.

    Raises:
        ValueError: it is no JSON, no UTF-8, or nested deeper than can be read.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def read_json_object(path: Path | str) -> dict[str, Any]:
    """The object in a JSON file that has to be there.

    Raises:
        OSError: as `read_bytes`.
        ValueError: as `parse_json`, or something else than an object.
    """
    found = parse_json(read_bytes(path).decode("utf-8-sig"))
    if not isinstance(found, dict):
        raise ValueError(f"expected an object, found {type(found).__name__}")
    return found


def check_members(
    archive: zipfile.ZipFile, most: int, methods: Collection[int] = PLAIN_METHODS
) -> None:
    """Refuse a zip archive before any of it is unpacked.

    Args:
        most: bytes that all members together may have.
        methods: of compression; others few programs use, and some take memory as a file says.

    Raises:
        ValueError: encrypted, compressed in a way that few programs use, or too large; names the
            member.
    """
    total = 0
    for member in archive.infolist():
        if member.flag_bits & ENCRYPTED:
            raise ValueError(f"{member.filename} is encrypted; pack the files without a password")
        if member.compress_type not in methods:
            raise ValueError(
                f"{member.filename} is packed by method {member.compress_type}, expected "
                f"{' or '.join(map(str, methods))}; pack the files anew"
            )
        total += member.file_size
    if total > most:
        raise ValueError(f"{total:,} bytes when unpacked, at most {most:,} are read")
