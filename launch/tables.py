"""Tables that the command line prints: the plan, the points of a sweep, the ledger."""

import time
from collections.abc import Mapping, Sequence

from launch.graph import Planned
from launch.ledger import Run


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Left-aligned columns, two spaces apart."""
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [header, ["-" * width for width in widths], *rows]
    ]
    return "\n".join(lines)


def stage_lines(plan: Sequence[Planned]) -> list[str]:
    """The plan: one line a stage, with what it builds on and whether it will run."""
    rows = [
        [
            stage.run.stage,
            stage.run.signature,
            "reused" if stage.finished else stage.run.state,
            " ".join(f"{name}:{run.signature[:8]}" for name, run in stage.parents.items()) or "-",
        ]
        for stage in plan
    ]
    todo = sum(not stage.finished for stage in plan)
    return [
        text_table(["stage", "signature", "state", "builds on"], rows),
        f"{len(plan)} stages: {todo} to run, {len(plan) - todo} reused",
    ]


def points_table(
    points: Sequence[Sequence[str]], plans: Sequence[Sequence[Planned]], failed: Mapping[str, str]
) -> str:
    """One row a sweep point: its last stage's metrics, or why they are missing."""
    blocks = []
    for point, plan in zip(points, plans, strict=True):
        last = plan[-1]
        why = [
            f"{stage.run.stage}: {failed[stage.run.signature]}"
            for stage in plan
            if stage.run.signature in failed
        ]
        blocks.append(
            f"{' '.join(point) or 'default'} -> {last.run.folder}\n"
            + (f"  missing: {why[0]}" if why else _result(last.run))
        )
    return "\n".join(blocks)


def _result(run: Run) -> str:
    """The table that the run made, or its metrics one by one."""
    table = run.folder / "table.txt"
    if table.exists():
        return table.read_text().rstrip()
    return "\n".join(f"  {name:<40} {value:.4g}" for name, value in run.metrics.items())


def _telling(metrics: Mapping[str, float]) -> list[tuple[str, float]]:
    """Metrics with those of training last: what a person looks for first."""
    return sorted(metrics.items(), key=lambda item: item[0].startswith("train/"))


def status_table(runs: Sequence[Run]) -> str:
    """The ledger: one row a run."""
    rows = []
    for run in runs:
        status, progress = run.status, run.progress
        metrics = run.metrics or progress.get("metrics", {})
        done = f"{progress['step']}/{progress['steps']}" if "step" in progress else "-"
        age = time.strftime("%Y-%m-%d %H:%M", time.localtime(status.get("time", 0)))
        shown = " ".join(f"{name}={value:.4g}" for name, value in _telling(metrics)[:4])
        rows.append(
            [
                run.stage,
                run.signature,
                run.state,
                done,
                age,
                status.get("error", "") or shown or "-",
            ]
        )
    return text_table(["stage", "signature", "state", "step", "changed", "last metrics"], rows)
