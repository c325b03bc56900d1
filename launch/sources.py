"""Where the running code comes from: the git commit, and whether files differ from it."""

import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import launch


@cache
def git_state() -> dict[str, Any]:
    """`{"git_commit": …, "git_dirty": …}`; both None outside a checkout or without git."""
    commit = _git("rev-parse", "HEAD")
    changes = _git("status", "--porcelain", "--untracked-files=no")
    return {"git_commit": commit or None, "git_dirty": None if changes is None else bool(changes)}


def _git(*words: str) -> str | None:
    folder = Path(launch.__file__).resolve().parents[1]
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *words],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
