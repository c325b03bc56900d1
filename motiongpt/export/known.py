"""The formats that there are, found by looking."""

from functools import cache
from pathlib import Path

from motiongpt.errors import UserError
from motiongpt.export import formats
from motiongpt.export.base import Format
from motiongpt.registry import classes_in


@cache
def known_formats() -> dict[str, type[Format]]:
    """Ending -> format, in the order of the endings."""
    found = classes_in(formats, Format)  # type: ignore[type-abstract]
    pairs = [(ending, one) for one in found.values() for ending in one.endings]
    return dict(sorted(pairs, key=lambda pair: pair[0]))


def format_of(path: Path) -> type[Format]:
    """The format that a file's ending names.

    Raises:
        UserError: no format has this ending.
    """
    known = known_formats()
    ending = path.suffix.lower()
    if ending not in known:
        raise UserError(f"{path}: expected a file that ends in {', '.join(known)}")
    return known[ending]
