"""JSON files of runs and sweeps, read so that a damaged one is named once and hides no other."""

import functools
import math
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from motiongpt.errors import UserError
from motiongpt.files import read_json

Check = Callable[[Any], bool]
LARGEST = 1e11
"""Of times in seconds and counts of steps: more is damage, and no clock could show it."""


def is_text(value: Any) -> bool:
    """Whether it is a string."""
    return isinstance(value, str)


def is_number(value: Any) -> bool:
    """Whether it is a number that times and counts may have."""
    return isinstance(value, int | float) and math.isfinite(value) and abs(value) < LARGEST


def is_metric(value: Any) -> bool:
    """Whether it can be shown as a number; a metric may have any size."""
    return isinstance(value, float) or (isinstance(value, int) and abs(value) < 2**63)


def are(check: Check) -> Check:
    """Whether it is a mapping whose values all are so."""
    return lambda value: isinstance(value, dict) and all(map(check, value.values()))


def is_mapping(value: Any) -> bool:
    """Whether it is a mapping."""
    return isinstance(value, dict)


def list_of(check: Check) -> Check:
    """Whether it is a list whose members all are so."""
    return lambda value: isinstance(value, list) and all(map(check, value))


def checked(path: Path, shape: Mapping[str, Check]) -> dict[str, Any]:
    """Content of a JSON file; empty where there is none.

    Args:
        shape: key -> what its value must be, where it has the key.

    Raises:
        UserError: no JSON, or a value of another kind; names the key.
    """
    found = read_json(path, {})
    for key, check in shape.items():
        if key in found and not check(found[key]):
            said = type(found[key]).__name__
            raise UserError(f"{path}: damaged: {key} is an unexpected {said}; move it away")
    return dict(found)


def readable(path: Path, shape: Mapping[str, Check]) -> tuple[dict[str, Any], str]:
    """The same, and what is wrong with the file; that is said on stderr, once.

    Returns:
        Content, empty where the file is damaged or absent; and one line, empty if all is well.
    """
    try:
        return checked(path, shape), ""
    except (UserError, PermissionError, IsADirectoryError) as error:
        said = str(error)
        say_once(said)
        return {}, said


@functools.cache
def say_once(line: str) -> None:
    """Tell the person at the terminal; the same line no second time."""
    print(line, file=sys.stderr, flush=True)
