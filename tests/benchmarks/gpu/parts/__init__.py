"""What is measured: one file, one part, which has a TITLE and `measure(settings)`."""

import importlib
from collections.abc import Callable, Iterator

from motiongpt.errors import UserError
from tests.benchmarks.gpu.number import Number
from tests.benchmarks.speed.part import Settings

# In the order in which they run: what is right comes before what is fast, what takes longest last.
NAMES = ("parity", "precision", "coding", "generation", "training", "distributed", "compiled")


def title_of(name: str) -> str:
    """What a part is about, in one line.

    Raises:
        UserError: there is no such part; the valid names are listed.
    """
    return str(_module(name).TITLE)


def measure_of(name: str) -> Callable[[Settings], Iterator[Number]]:
    """What yields a part's numbers, one after the other, as they are measured."""
    measure: Callable[[Settings], Iterator[Number]] = _module(name).measure
    return measure


def _module(name: str):
    if name not in NAMES:
        raise UserError(f"no part {name!r}; choose some of: {', '.join(NAMES)}")
    return importlib.import_module(f"{__name__}.{name}")
