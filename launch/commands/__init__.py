"""One sub-command of the command line, one file."""

import importlib
import pkgutil
from types import ModuleType


def names() -> list[str]:
    """Words that are commands: the modules here, with hyphens."""
    return sorted(one.name.replace("_", "-") for one in pkgutil.iter_modules(__path__))


def command(name: str) -> ModuleType:
    """Module of a sub-command, imported when it is asked for."""
    return importlib.import_module(f"{__name__}.{module_name(name)}")


def module_name(name: str) -> str:
    """Name of a sub-command's module within this package."""
    return name.replace("-", "_")
