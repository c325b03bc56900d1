"""Which parts there are: every `Part` in a module of `evaluation.speed.parts`."""

import importlib
import inspect
import pkgutil

from evaluation.speed import parts
from evaluation.speed.part import Part
from motiongpt.errors import UserError


def part_names() -> list[str]:
    """Names of all parts: their modules."""
    return sorted(module.name for module in pkgutil.iter_modules(parts.__path__))


def part_named(name: str) -> type[Part]:
    """The part in module `name`.

    Raises:
        UserError: there is none; the valid names are listed.
    """
    if name not in part_names():
        raise UserError(f"no part {name!r}; choose some of: {', '.join(part_names())}")
    module = importlib.import_module(f"{parts.__name__}.{name}")
    found = [
        value
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, Part)
        and value.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise UserError(f"{module.__name__} has {len(found)} parts; a module has one")
    return found[0]
