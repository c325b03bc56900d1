"""The BVH files of the data set, wherever they are packed: a folder, a tar or a zip archive.

Zip archives within them (the published data.zip) are read as well. Nothing is unpacked to disk:
members are read in the order of the archive, and only the last part of their path counts, so a
hostile path can do no harm.
"""

import hashlib
import io
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from motiongpt.errors import UserError

_SUFFIX, _NESTED = ".bvh", ".zip"

Entry = tuple[str, Callable[[], bytes]]


def clip_files(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Name and content of the BVH files whose name is wanted.

    A folder is read in the order of the names, an archive in its own order.

    A name that comes twice (in a folder and in a data.zip beside it) is read once.

    Raises:
        UserError: `path` is neither a folder nor an archive that can be read.
    """
    seen: set[str] = set()
    for name, read in _entries(path):
        if name not in seen and wanted(name):
            seen.add(name)
            yield name, read()


def content_sha256(path: Path, left_out: frozenset[str] = frozenset()) -> str:
    """One digest of all BVH files by name and content, however they are packed and ordered."""
    lines = sorted(
        f"{name} {hashlib.sha256(content).hexdigest()}\n"
        for name, content in clip_files(path, lambda name: name not in left_out)
    )
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _entries(path: Path) -> Iterator[Entry]:
    if path.is_dir():
        yield from _folder_entries(path)
    elif zipfile.is_zipfile(path):
        yield from _zip_entries(path, str(path))
    else:
        yield from _tar_entries(path)


def _folder_entries(path: Path) -> Iterator[Entry]:
    files = sorted(path.rglob("*" + _SUFFIX), key=lambda file: (file.stem, str(file)))
    for file in files:
        yield file.stem, file.read_bytes
    for file in sorted(path.rglob("*" + _NESTED)):
        # A zip that Git LFS has left as a pointer is no zip.
        if zipfile.is_zipfile(file):
            yield from _zip_entries(file, str(file))


def _zip_entries(file: Path | IO[bytes], where: str) -> Iterator[Entry]:
    try:
        with zipfile.ZipFile(file) as archive:
            for member in archive.infolist():
                if member.is_dir():
                    continue
                if member.filename.endswith(_SUFFIX):
                    yield _stem(member.filename), lambda member=member: archive.read(member)  # type: ignore[misc]
                elif member.filename.endswith(_NESTED):
                    yield from _nested_entries(archive.read(member), f"{where}: {member.filename}")
    except (zipfile.BadZipFile, EOFError) as error:
        raise UserError(f"{where}: damaged zip archive: {error}") from error


def _nested_entries(content: bytes, where: str) -> Iterator[Entry]:
    if zipfile.is_zipfile(io.BytesIO(content)):
        yield from _zip_entries(io.BytesIO(content), where)


def _tar_entries(path: Path) -> Iterator[Entry]:
    try:
        with tarfile.open(path, "r|*") as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.isfile() else None
                if stream is not None and member.name.endswith(_SUFFIX):
                    yield _stem(member.name), _reader(stream)
                elif stream is not None and member.name.endswith(_NESTED):
                    yield from _nested_entries(_reader(stream)(), f"{path}: {member.name}")
    except (tarfile.TarError, EOFError, OSError) as error:
        raise UserError(
            f"{path}: not a folder, a zip or a tar archive that can be read: {error}"
        ) from error


def _reader(stream: IO[bytes]) -> Callable[[], bytes]:
    def read() -> bytes:
        with stream:
            return stream.read()

    return read


def _stem(member: str) -> str:
    return PurePosixPath(member).name.removesuffix(_SUFFIX)
