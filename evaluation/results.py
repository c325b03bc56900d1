"""What an evaluation leaves: numbers with everything that they depend on."""

import platform
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from motiongpt.files import write_json, write_text

PACKAGES = ("torch", "transformers", "lightning", "numpy", "motiongpt-platform")


@dataclass(frozen=True)
class Result:
    """One number.

    Attributes:
        task, method, metric: what was measured; `method` is "model" or a baseline.
        value: in `unit`.
        cases: clips behind it.
    """

    task: str
    method: str
    metric: str
    value: float
    unit: str
    lower_is_better: bool
    cases: int


def write_results(
    folder: Path,
    results: Sequence[Result],
    protocol: Mapping[str, Any],
    fingerprint: str,
    seed: int,
) -> None:
    """Write `results.json`, `table.md` and the same as plain text, `table.txt`, into `folder`."""
    write_json(
        Path(folder) / "results.json",
        {
            "results": [asdict(result) for result in results],
            "protocol": dict(protocol),
            "data_fingerprint": fingerprint,
            "seeds": [seed],
            "signature": Path(folder).name,
            "versions": {
                **{name: version(name) for name in PACKAGES},
                "python": platform.python_version(),
            },
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        },
    )
    write_text(Path(folder) / "table.md", markdown_table(results) + "\n")
    write_text(Path(folder) / "table.txt", plain_table(results) + "\n")


def markdown_table(results: Sequence[Result]) -> str:
    """One row for each task and metric, one column for each method: the model, then the others."""
    header, rows = table_cells(results)
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def plain_table(results: Sequence[Result]) -> str:
    """The same in columns."""
    header, rows = table_cells(results)
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [header, *rows]
    )


def table_cells(results: Sequence[Result]) -> tuple[list[str], list[list[str]]]:
    """Header and rows of the table, as words."""
    rows: dict[tuple[str, str], dict[str, Result]] = {}
    for result in results:
        rows.setdefault((result.task, result.metric), {})[result.method] = result
    cells = []
    for (task, metric), by_method in rows.items():
        any_result = next(iter(by_method.values()))
        arrow = "↓" if any_result.lower_is_better else "↑"
        unit = f" ({any_result.unit})" if any_result.unit else ""
        others = [
            f"{method} {_number(result)}"
            for method, result in by_method.items()
            if method not in ("model", "real")
        ]
        cells.append(
            [
                task,
                f"{metric}{unit} {arrow}",
                _number(by_method.get("model")),
                _number(by_method.get("real")),
                ", ".join(others) or "-",
                str(any_result.cases),
            ]
        )
    return ["task", "metric", "model", "real", "for comparison", "clips"], cells


def _number(result: Result | None) -> str:
    if result is None:
        return "-"
    return f"{result.value:.1f}" if abs(result.value) >= 10 else f"{result.value:.3f}"
