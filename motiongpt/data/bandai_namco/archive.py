"""The BVH files of the data set, wherever they are packed: see `motiongpt.data.packed_files`.

The published archive holds them in data.zip files.
"""

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

from motiongpt.data.clip import BadClip
from motiongpt.data.packed_files import packed_files
from motiongpt.errors import UserError

_ENDING = ".bvh"


def clip_files(path: Path, wanted: Callable[[str], bool]) -> Iterator[tuple[str, bytes | BadClip]]:
    """Name, without its ending, and content of the BVH files whose name is wanted.

    A folder is read in the order of the names, an archive in its own order; a name that comes twice
    (in a folder and in a data.zip beside it) once. A file that can't be read is bad.

    Raises:
        UserError: `path` is neither a folder nor an archive that can be read, or is an archive
            that is damaged, encrypted, or far larger when it is unpacked.
    """
    files = packed_files(path, (_ENDING,), lambda name: wanted(name.removesuffix(_ENDING)))
    for name, content in files:
        yield name.removesuffix(_ENDING), content


def content_sha256(path: Path, left_out: frozenset[str] = frozenset()) -> str:
    """One digest of all BVH files by name and content, however they are packed and ordered.

    Raises:
        UserError: as `clip_files`, or a file that can't be read.
    """
    lines = []
    for name, content in clip_files(path, lambda name: name not in left_out):
        if isinstance(content, BadClip):
            raise UserError(f"{path}: {name}: {content.reason}")
        lines.append(f"{name} {hashlib.sha256(content).hexdigest()}\n")
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()
