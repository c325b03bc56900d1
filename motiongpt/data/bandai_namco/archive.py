"""The BVH files of the data set, wherever they are packed: a folder, a tar or a zip archive.

Nothing is unpacked to disk: members are read in the order of the archive, and only the last part of
their path counts, so a hostile path can do no harm.
"""

import hashlib
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from motiongpt.errors import UserError

_SUFFIX = ".bvh"

Entry = tuple[str, Callable[[], bytes]]


def clip_names(path: Path) -> list[str]:
    """File names without ending, in the order of `clip_files`.

    Raises:
        UserError: `path` is neither a folder nor an archive that can be read.
    """
    return [name for name, _ in _entries(path)]


def clip_files(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes]]:
    """Name and content of the BVH files whose name is wanted.

    A folder is read in the order of the names, an archive in its own order.

    Raises:
        UserError: `path` is neither a folder nor an archive that can be read.
    """
    return ((name, read()) for name, read in _entries(path) if wanted(name))


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
        yield from _zip_entries(path)
    else:
        yield from _tar_entries(path)


def _folder_entries(path: Path) -> Iterator[Entry]:
    files = sorted(path.rglob("*" + _SUFFIX), key=lambda file: (file.stem, str(file)))
    for file in files:
        yield file.stem, file.read_bytes


def _zip_entries(path: Path) -> Iterator[Entry]:
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if not member.is_dir() and member.filename.endswith(_SUFFIX):
                    yield _stem(member.filename), lambda member=member: archive.read(member)  # type: ignore[misc]
    except (zipfile.BadZipFile, EOFError) as error:
        raise UserError(f"{path}: damaged zip archive: {error}") from error


def _tar_entries(path: Path) -> Iterator[Entry]:
    try:
        with tarfile.open(path, "r|*") as archive:
            for member in archive:
                if member.isfile() and member.name.endswith(_SUFFIX):
                    stream = archive.extractfile(member)
                    if stream is not None:
                        yield _stem(member.name), _reader(stream)
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
