"""What a config says of its own keys: which can't change a result, which name files.

A mapping of a stage's settings may carry two reserved keys, lists of dotted paths below itself:

    _unsigned_: [hardware, schedule.checkpoint_every]   # can change no result
    _by_content_: [templates]                           # names a file or a folder

They hold for exactly these paths, so that a key of the same name elsewhere means nothing to them.
They are for `launch.composition.signatures`; nobody else gets to see them.
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

UNSIGNED, BY_CONTENT = "_unsigned_", "_by_content_"
RESERVED = (UNSIGNED, BY_CONTENT)


class Declared(NamedTuple):
    """One declaration.

    Attributes:
        path: keys from the mapping that it is looked at from down to the field.
        kind: UNSIGNED or BY_CONTENT.
    """

    path: tuple[str, ...]
    kind: str


def declared_at(node: Mapping[str, Any]) -> tuple[Declared, ...]:
    """What `node` itself declares, in plain containers."""
    if UNSIGNED not in node and BY_CONTENT not in node:
        return ()
    return tuple(
        Declared(tuple(str(path).split(".")), kind)
        for kind in RESERVED
        for path in node.get(kind) or ()
    )


def all_declared(settings: Any) -> Iterator[Declared]:
    """What `settings` (plain containers) declare at any depth, paths from their top."""
    if isinstance(settings, Mapping):
        yield from declared_at(settings)
    for key, value in _members(settings):
        for inner in all_declared(value):
            yield Declared((key, *inner.path), inner.kind)


def stripped(settings: Any) -> Any:
    """A copy of `settings` (plain containers) without the reserved keys, at any depth."""
    if isinstance(settings, Mapping):
        return {key: stripped(value) for key, value in settings.items() if key not in RESERVED}
    if isinstance(settings, list | tuple):
        return [stripped(value) for value in settings]
    return settings


def reserved_in(key: str, value: Any) -> str | None:
    """The reserved key that `key=value` would set, at any depth; None where there is none."""
    words = [*key.split("."), *_keys(value)]
    return next((word for word in words if word in RESERVED), None)


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from map(str, value)
    for _, member in _members(value):
        yield from _keys(member)


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((str(key), one) for key, one in value.items())
    elif isinstance(value, list | tuple):
        yield from ((str(index), one) for index, one in enumerate(value))
