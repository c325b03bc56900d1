"""Checksums of what a run or a model folder leaves for others: `checksums.json` beside the files.

Folders of earlier versions have none; nothing is said of them.
"""

import hashlib
from collections.abc import Iterable
from pathlib import Path

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
        if part and not name.startswith(f"{part}/"):
            continue
        if not isinstance(about, dict):
            return f"{CHECKSUMS} is damaged"
        said = _damage_of(Path(folder) / name, about, whole)
        if said:
            return f"{name} {said}"
    return ""


def _damage_of(file: Path, about: dict[str, object], whole: bool) -> str:
    try:
        size = file.stat().st_size
    except (FileNotFoundError, NotADirectoryError):
        return "is gone"
    if size != about.get("bytes"):
        return f"is damaged ({size:,} bytes, was written with {about.get('bytes')})"
    if whole and _sha256(file) != about.get("sha256"):
        return "is damaged (its checksum differs)"
    return ""


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
