"""Films, scenes and tables for experiment loggers: for those that can show them.

A stage calls `show_files` and `show_table` with `StageContext.make_logger()`; a logger that is not
of `ShowingLogger`, as Lightning's own, is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from lightning.pytorch.loggers import Logger


Cell = str | float | None


@dataclass(frozen=True)
class ShownFile:
    """A film (.mp4, .gif) or a scene (.glb) in the folder that the stage writes to.

    Attributes:
        path: where it lies; it stays there.
        caption: what is seen.
    """

    path: Path
    caption: str


@runtime_checkable
class ShowingLogger(Protocol):
    """A logger that may show more than numbers.

    Attributes:
        shows: whether it does; films need not be made for one that does not.
    """

    @property
    def shows(self) -> bool:
        """See the class."""
        ...

    def log_files(self, name: str, files: Sequence[ShownFile], step: int | None) -> None:
        """Show files of one kind under a name."""

    def log_table(self, name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Show a table under a name."""


def anyone_shows(loggers: Iterable[Logger]) -> bool:
    """Whether it is worth making films."""
    return bool(_showing(loggers))


def show_files(
    loggers: Iterable[Logger], name: str, files: Sequence[ShownFile], step: int | None = None
) -> None:
    """Show films or scenes, all of one kind.

    Args:
        step: optimiser step that they belong to; None for what follows a training.
    """
    for logger in _showing(loggers) if files else ():
        logger.log_files(name, files, step)


def show_table(
    loggers: Iterable[Logger], name: str, columns: Sequence[str], rows: Sequence[Sequence[Cell]]
) -> None:
    """Show a table."""
    for logger in _showing(loggers) if rows else ():
        logger.log_table(name, columns, rows)


def _showing(loggers: Iterable[Logger]) -> list[ShowingLogger]:
    return [one for one in loggers if isinstance(one, ShowingLogger) and one.shows]
