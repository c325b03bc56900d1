"""Checksums of what a run or a model folder leaves for others: `checksums.json` beside the files.

Folders of earlier versions have none; nothing is said of them.
"""

import hashlib
import stat
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from motiongpt.errors import UserError
from motiongpt.files import read_json, write_json

CHECKSUMS = "checksums.json"


def write_checksums(folder: Path, files: Iterable[Path]) -> None:
    """Keep size and SHA-256 of `files`, which lie below `folder`."""
    found = {
        file.relative_to(folder).as_posix(): {"bytes": file.stat().st_size, "sha256": _sha256(file)}
        for file in sorted(files)
    }
    write_json(Path(folder) / CHECKSUMS, found)


def listed_files(folder: Path) -> list[str]:
    """Names of the files that `write_checksums` kept, below `folder`; empty where it kept none.

    Raises:
        UserError: the list is damaged, or names something outside `folder`.
    """
    names = list(read_json(Path(folder) / CHECKSUMS, {}))
    if not all(map(_is_below, names)):
        raise UserError(f"{Path(folder) / CHECKSUMS}: is damaged; get the folder again, whole")
    return names


def damage_below(folder: Path, whole: bool, part: str = "") -> str:
    """What is wrong with the first file that is not as it was written; empty if all are.

    Args:
        whole: read all bytes; else only whether each file is there, and its size.
        part: only files in that folder below `folder`.
    """
    try:
        kept = read_json(Path(folder) / CHECKSUMS, {})
    except UserError:
        return f"{CHECKSUMS} is damaged"
    for name, about in kept.items():
        if not isinstance(about, dict) or not _is_below(name):
            return f"{CHECKSUMS} is damaged"
        if part and not name.startswith(f"{part}/"):
            continue
        said = _damage_of(Path(folder) / name, about, whole)
        if said:
            return f"{name} {said}"
    return ""


def _is_below(name: str) -> bool:
    """Whether a name leads nowhere but into the folder: a model folder may be a stranger's."""
    path = PurePosixPath(name)
    return "\0" not in name and not path.is_absolute() and ".." not in path.parts


def _damage_of(file: Path, about: dict[str, object], whole: bool) -> str:
    try:
        described = file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return "is gone"
    except OSError as error:
        return f"can't be read ({error.strerror})"
    if not stat.S_ISREG(described.st_mode):
        return "is no plain file"
    size = described.st_size
    if size != about.get("bytes"):
        return f"is damaged ({size:,} bytes, was written with {about.get('bytes')})"
    if whole and _sha256(file) != about.get("sha256"):
        return "is damaged (its checksum differs)"
    return ""


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
