"""The signature of a stage: what its result depends on, in sixteen letters.

Everything that the stage's settings resolve to is hashed, defaults too: hashing only what differs
from the defaults would let an edited default pass for the old run. What can't change the result
is left out by name.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from motiongpt.errors import UserError

# Keys that never change a result, at whatever depth they stand.
NOT_SIGNED = frozenset(
    {
        "paths",
        "path",
        "root",
        "download",  # where things lie
        "logger",
        "hardware",
        "workers",
        "threads",  # who watches, what it runs on
        "launcher",
        "checkpoint_every",  # how it is started, how often it is saved
    }
)
# Keys that name a file or a folder: its content is signed, wherever it lies.
SIGNED_BY_CONTENT = frozenset({"templates", "weights", "word_vectors"})


def signed_part(settings: Any) -> Any:
    """`settings` (plain containers) without the keys that can't change the result.

    Raises:
        UserError: a file or folder that is to be signed by its content can't be read.
    """
    if isinstance(settings, Mapping):
        return {
            key: _content(key, value) if key in SIGNED_BY_CONTENT and value else signed_part(value)
            for key, value in settings.items()
            if key not in NOT_SIGNED
        }
    if isinstance(settings, list | tuple):
        return [signed_part(value) for value in settings]
    return settings


def digest(value: Any) -> str:
    """Sixteen hexadecimal letters of the SHA-256 of `value` as canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def signature(
    stage: str, settings: Mapping[str, Any], fingerprint: str, parents: Mapping[str, str]
) -> str:
    """Signature of one stage.

    Args:
        settings: its resolved settings.
        fingerprint: of the data.
        parents: signatures of the stages it builds on, by name.
    """
    return digest(
        {
            "stage": stage,
            "settings": signed_part(settings),
            "data": fingerprint,
            "parents": dict(parents),
        }
    )


def _content(key: str, place: Any) -> str:
    """SHA-256 of a file's bytes; of a folder, of the names and bytes of all files in it."""
    root = Path(place)
    try:
        if not root.is_dir():
            return _of_file(root)
        files = sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))
        return digest([[name, _of_file(root / name)] for name in files if (root / name).is_file()])
    except OSError as error:
        raise UserError(
            f"{key}={place}: {error.strerror}; name a file or folder that can be read"
        ) from error


def _of_file(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
