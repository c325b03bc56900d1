"""What is timed: one file, one part, found by its name."""

import importlib
import pkgutil

from motiongpt.errors import UserError
from tests.benchmarks.speed.part import Part, Settings


def part_names() -> list[str]:
    """Names of all parts: their modules."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def part_named(name: str, settings: Settings) -> Part:
    """The part in module `name`, which calls it `PART`.

    Raises:
        UserError: there is none; the valid names are listed.
    """
    if name not in part_names():
        raise UserError(f"no part {name!r}; choose some of: {', '.join(part_names())}")
    part: type[Part] = importlib.import_module(f"{__name__}.{name}").PART
    return part(settings)
