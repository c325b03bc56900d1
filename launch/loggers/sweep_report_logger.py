"""The table of a sweep, for the experiment logger."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from omegaconf import DictConfig

from launch.loggers.stage_loggers import open_loggers
from motiongpt.training.shown import Cell

POINTS, MISSING = "points", "missing"


def log_sweep_report(
    config: DictConfig,
    folder: Path,
    group: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell]],
    missing: Iterable[str],
) -> None:
    """Log the table of a sweep, in a run of its own among the sweep's runs.

    W&B gets a run `sweep-<group>` with the table "points", TensorBoard the same as a text. CSV has
    it already: `table.csv` in the sweep's folder.

    Args:
        config: of the sweep, for its loggers.
        folder: of the sweep; its name is the sweep's own. Reported again, the same run goes on.
        group: of the sweep's runs.
        columns: headings: overrides that differ, stage, signature, metrics.
        rows: experiments with a result.
        missing: those without one, and why; each fills a row in one more column.
    """
    columns, rows = _with_missing(columns, rows, list(missing))
    facts = {
        "folder": str(folder),
        "attempt": "report",
        "stage": "sweep",
        "signature": Path(folder).name,
        "run_name": f"sweep-{group}",
        "run_id": f"sweep-{Path(folder).name}",
        "group": group,
        "tags": ["sweep", str(config.data.name)],
    }
    for logger in open_loggers(config, facts):
        logger.log_table(POINTS, columns, rows)
        logger.close("success")


def _with_missing(
    columns: Sequence[str], rows: Sequence[Sequence[Cell]], missing: Sequence[str]
) -> tuple[list[str], list[list[Cell]]]:
    if not missing:
        return list(columns), [list(row) for row in rows]
    empty: list[Cell] = [None] * len(columns)
    return [*columns, MISSING], [
        *([*row, None] for row in rows),
        *([*empty, reason] for reason in missing),
    ]
