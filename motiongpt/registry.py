"""Which classes a package offers, by class name: a new one needs a new file and nothing else.

Checkpoints name their classes in JSON; they are looked up here and never imported by path, so a
checkpoint from a stranger can't make this process import what it likes.
"""

import importlib
import inspect
import pkgutil
from types import ModuleType
from typing import TypeVar

from motiongpt.errors import UserError

Base = TypeVar("Base")
OPENED: set[str] = set()
"""Modules of the classes that were opened by name: whoever records what code was used reads it."""


def classes_in(package: ModuleType, base: type[Base]) -> dict[str, type[Base]]:
    """Concrete subclasses of `base` in the modules below `package`, by class name."""
    found: dict[str, type[Base]] = {}
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        for name, value in vars(importlib.import_module(module.name)).items():
            if _is_kind_of(value, base):
                found[name] = value
    return found


def _is_kind_of(value: object, base: type) -> bool:
    if not inspect.isclass(value) or value is base:
        return False
    return issubclass(value, base) and not inspect.isabstract(value)


def class_by_name(package: ModuleType, base: type[Base], name: object) -> type[Base]:
    """The class called `name` in `package`.

    Raises:
        UserError: there is none; the known names are listed.
    """
    known = classes_in(package, base)
    if not isinstance(name, str) or name not in known:
        raise UserError(
            f"no class {name!r} in {package.__name__}; known are: {', '.join(sorted(known))}"
        )
    OPENED.add(known[name].__module__)
    return known[name]
