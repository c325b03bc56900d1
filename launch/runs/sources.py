"""Where the running code comes from: the git commit, and whether files differ from it."""

import json
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import launch

HOME = Path(launch.__file__).resolve().parents[1]


@cache
def git_state() -> dict[str, Any]:
    """`{"git_commit": …, "git_dirty": …}`; both None outside a checkout or without git.

    A snapshot of the code says what it was taken of.
    """
    kept = HOME / "source.json"
    if kept.exists():
        return dict(json.loads(kept.read_text(encoding="utf-8")))
    commit = _git("rev-parse", "HEAD")
    changes = _git("status", "--porcelain", "--untracked-files=no")
    return {"git_commit": commit or None, "git_dirty": None if changes is None else bool(changes)}


def git_changes() -> str:
    """How files differ from the commit, as a patch; empty if they don't, or without git."""
    return _git("diff", "HEAD", "--", ".") or ""


def _git(*words: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", str(HOME), *words],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=60,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
