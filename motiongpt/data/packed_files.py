"""The motion files of a data set, wherever they are packed: a folder, a tar or a zip archive.

Zip archives within them are read as well. Nothing is unpacked to disk:
members are read in the order of the archive, and only the last part of their path counts, so a
hostile path can do no harm. What a member says of its size is looked at before it is read: an
archive of a few megabytes can hold a terabyte.
"""

import io
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from motiongpt.data.bvh import MOST_BYTES
from motiongpt.data.clip import BadClip
from motiongpt.errors import UserError
from motiongpt.reading import ZIP_ERRORS, check_members, file_size, read_bytes

_NESTED = ".zip"
# Bandai-Namco's archive holds data.zip files of some 100 MB, and none within them; its texts shrink
# to a fifth.
_MOST_NESTED, _MOST_INNER = 3, 512 << 20
_MOST_IN_ALL, _MOST_RATIO = 64 << 30, 100

Entry = tuple[str, Callable[[], bytes | BadClip]]


def packed_files(
    path: Path, endings: tuple[str, ...], wanted: Callable[[str], bool]
) -> Iterator[tuple[str, bytes | BadClip]]:
    """Name and content of the files whose name is wanted; a file that can't be read is bad.

    A name is the last part of a path, with its ending; one that comes twice (in a folder and in an
    archive beside it) is read once. A folder is read in the order of the names, an archive in its
    own order.

    Args:
        endings: of the files, as ".bvh".
        wanted: whether a name is.

    Raises:
        UserError: `path` is neither a folder nor an archive that can be read, or is an archive
            that is damaged, encrypted, or far larger when it is unpacked.
    """
    seen: set[str] = set()
    try:
        for name, read in _entries(path, endings):
            if name not in seen and wanted(name):
                seen.add(name)
                yield name, read()
    except (tarfile.TarError, *ZIP_ERRORS) as error:
        what = " or ".join(ending[1:].upper() for ending in endings)
        raise UserError(
            f"{path}: not a folder, or a whole zip or tar archive of {what} files "
            f"({error or type(error).__name__}); download it again"
        ) from error


def _entries(path: Path, endings: tuple[str, ...]) -> Iterator[Entry]:
    if path.is_dir():
        yield from _folder_entries(path, endings)
        return
    file_size(path)
    if zipfile.is_zipfile(path):
        yield from _zip_entries(path, str(path), endings)
    else:
        yield from _tar_entries(path, endings)


def _folder_entries(path: Path, endings: tuple[str, ...]) -> Iterator[Entry]:
    found = (file for ending in endings for file in path.rglob("*" + ending))
    for file in sorted(found, key=lambda file: (file.stem, str(file))):
        yield file.name, partial(_read_file, file)
    for file in sorted(path.rglob("*" + _NESTED)):
        # A zip that Git LFS has left as a pointer is no zip.
        if file.is_file() and zipfile.is_zipfile(file):
            yield from _zip_entries(file, str(file), endings)


def _read_file(file: Path) -> bytes | BadClip:
    try:
        return read_bytes(file, MOST_BYTES)
    except OSError as error:
        return BadClip(file.stem, f"can't be read: {error.strerror}")


def _zip_entries(
    file: Path | IO[bytes], where: str, endings: tuple[str, ...], depth: int = 0
) -> Iterator[Entry]:
    if depth > _MOST_NESTED:
        raise ValueError(f"zip archives within zip archives, more than {_MOST_NESTED} deep")
    try:
        with zipfile.ZipFile(file) as archive:
            check_members(archive, _MOST_IN_ALL)
            for member in archive.infolist():
                if member.is_dir():
                    continue
                if member.filename.endswith(endings):
                    yield _last(member.filename), partial(_unpacked, archive, member, MOST_BYTES)
                elif member.filename.endswith(_NESTED):
                    inner = _unpacked(archive, member, _MOST_INNER)
                    inside = f"{where}: {member.filename}"
                    yield from _nested_entries(inner, inside, endings, depth + 1)
    except zipfile.BadZipFile as error:
        raise ValueError(f"damaged zip archive {where}: {error}") from error


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most: int) -> bytes:
    _check_size(member.filename, member.file_size, most)
    if member.file_size > _MOST_RATIO * member.compress_size + most // _MOST_RATIO:
        raise ValueError(
            f"{member.filename} grows from {member.compress_size:,} to {member.file_size:,} bytes "
            "when unpacked, which no text does"
        )
    return archive.read(member)


def _nested_entries(
    content: bytes, where: str, endings: tuple[str, ...], depth: int = 1
) -> Iterator[Entry]:
    if zipfile.is_zipfile(io.BytesIO(content)):
        yield from _zip_entries(io.BytesIO(content), where, endings, depth)


def _tar_entries(path: Path, endings: tuple[str, ...]) -> Iterator[Entry]:
    with tarfile.open(path, "r|*") as archive:
        for member in archive:
            # What is not read is passed over, which takes as long.
            _check_size(member.name, member.size, _MOST_INNER)
            stream = archive.extractfile(member) if member.isfile() else None
            if stream is not None and member.name.endswith(endings):
                _check_size(member.name, member.size, MOST_BYTES)
                yield _last(member.name), partial(_read_member, stream)
            elif stream is not None and member.name.endswith(_NESTED):
                inside = f"{path}: {member.name}"
                yield from _nested_entries(_read_member(stream), inside, endings)


def _read_member(stream: IO[bytes]) -> bytes:
    with stream:
        return stream.read()


def _check_size(name: str, size: int, most: int) -> None:
    if size > most:
        raise ValueError(f"{name} has {size:,} bytes when unpacked, at most {most:,} are read")


def _last(member: str) -> str:
    return PurePosixPath(member).name
