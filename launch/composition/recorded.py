"""How a run was made, in words that hold on any machine: what a committed result is checked by."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from launch.composition.signatures import digest, signed_part

# Say where something lies or runs; no signature takes them in.
OF_THE_MACHINE = re.compile(r"[+~]*(paths|launcher|logger|hydra|trainer\.hardware)([./@=]|$)")
# A point's overrides stand in one line: each begins with its key.
NEXT = re.compile(r" (?=[+~]{0,2}[A-Za-z_][\w\-./@:]*=|~[A-Za-z_])")


def made_by(points: Sequence[str], plain: Mapping[str, Any]) -> dict[str, Any]:
    """The overrides of the first of `points`, and a digest of the settings of its data.

    Args:
        points: overrides of the experiments that want the run, each in one line.
        plain: the configuration in plain containers.
    """
    if not points or "data" not in plain:
        return {}
    words = NEXT.split(points[0]) if points[0] else []
    kept = [_portable(word) for word in words if not OF_THE_MACHINE.match(word)]
    return {"overrides": kept, "data": data_digest(plain)}


def data_digest(plain: Mapping[str, Any]) -> str:
    """Sixteen letters of all settings of the data that are signed; of places only their names.

    What lies in these places, the data's fingerprint says.
    """
    return digest(_named(signed_part(plain["data"])))


def _portable(word: str) -> str:
    """An override without a folder of this machine in it: the name of what lies there is kept."""
    key, equals, value = word.partition("=")
    if not equals or not _is_place(value):
        return word
    return f"{key}={Path(value).name}"


def _is_place(value: str) -> bool:
    """Whether it names a file or folder by its way there; OWNER/NAME of a hub does not."""
    path = Path(value).expanduser()
    return "/" in value and "[" not in value and (path.is_absolute() or path.exists())


def _named(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _named(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_named(one) for one in value]
    return Path(value).name if isinstance(value, str) and "/" in value else value
