"""Names of folders in which neither SLURM nor submitit reads more than there is."""

import hashlib
import os
from pathlib import Path

from motiongpt.errors import UserError

SPECIAL = "%\\\n\r"
"""SLURM fills in %j, and fills in nothing after a backslash; submitit fills in %j in any path."""


def without_patterns(folder: Path) -> Path:
    """`folder` under a name without `SPECIAL`: a link in the user's cache, where it needs one.

    submitit has no way to escape its patterns, so that another name is the only one that both take
    as it is. Home folders are shared by the nodes of a cluster.

    Raises:
        UserError: the cache has such a name, too.
    """
    folder = folder.resolve()
    if not _is_special(folder):
        return folder
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "motiongpt" / "names"
    if _is_special(cache):
        raise UserError(
            f"{folder}: SLURM reads % and \\ in a path as patterns, and {cache} has no other name "
            "for it; choose another paths.root"
        )
    cache.mkdir(parents=True, exist_ok=True)
    link = cache / hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    if not link.is_symlink():
        link.symlink_to(folder)
    return link


def _is_special(path: Path) -> bool:
    return any(letter in str(path) for letter in SPECIAL)
