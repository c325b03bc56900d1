"""The table of a sweep, for the experiment logger."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from omegaconf import DictConfig


def log_sweep_report(
    config: DictConfig,
    folder: Path,
    group: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str | float | None]],
    missing: Iterable[str],
) -> None:
    """To be written by H4."""
