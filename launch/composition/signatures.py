"""The signature of a stage: what its result depends on, in sixteen letters.

Everything that the stage's settings resolve to is hashed, defaults too: hashing only what differs
from the defaults would let an edited default pass for the old run. What can't change the result is
left out, and what names a file is signed by its content, where the settings themselves declare so:
see `launch.composition.declarations`.
"""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from launch.composition.declarations import RESERVED, UNSIGNED, Declared, declared_at
from motiongpt.errors import UserError

# NAME or OWNER/NAME of a hub of models: no absolute path, none that begins with a dot, and nothing
# with a file's ending (a name's dots stand before numbers, as in Qwen2.5-0.5B).
HUB_NAME = re.compile(r"(?!.*\.[a-z]{2,}\d?$)\w[\w.-]*(/\w[\w.-]*)?")


def signed_part(settings: Any) -> Any:
    """`settings` (plain containers) as they are signed.

    Raises:
        UserError: a file or folder that is to be signed by its content can't be read.
    """
    return _signed(settings, ())


def _signed(settings: Any, declared: Sequence[Declared]) -> Any:
    """The signed part of `settings`, of whose fields mappings above have `declared` something."""
    if isinstance(settings, list | tuple):
        return [_signed(value, ()) for value in settings]
    if not isinstance(settings, Mapping):
        return settings
    declared = (*declared, *declared_at(settings))
    if not declared:
        return {key: _signed(value, ()) for key, value in settings.items()}
    below: dict[str, list[Declared]] = {}
    for path, kind in declared:
        below.setdefault(path[0], []).append(Declared(path[1:], kind))
    signed = {}
    for key, value in settings.items():
        inner = below.get(key, ())
        kinds = {kind for path, kind in inner if not path}
        if key in RESERVED or UNSIGNED in kinds:
            continue
        signed[key] = _content(key, value) if kinds else _signed(value, inner)
    return signed


def digest(value: Any) -> str:
    """Sixteen hexadecimal letters of the SHA-256 of `value` as canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode(errors="backslashreplace")).hexdigest()[:16]


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


def _content(key: str, value: Any) -> Any:
    """SHA-256 of a file's bytes; of a folder, of the names and bytes of all files in it.

    What names neither, null or a model of a hub, is signed as it is written.
    """
    if not isinstance(value, str):
        return value
    root = Path(value)
    try:
        if not root.is_dir():
            hub = HUB_NAME.fullmatch(value) and not root.exists()
            return value if hub else _of_file(root)
        files = sorted(path.relative_to(root).as_posix() for path in root.rglob("*"))
        return digest([[name, _of_file(root / name)] for name in files if (root / name).is_file()])
    except OSError as error:
        raise UserError(
            f"{key}={value}: {error.strerror}; name a file or folder that can be read"
        ) from error


def _of_file(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
