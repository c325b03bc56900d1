"""Tables that the command line prints: the plan, the points of a sweep."""

from collections.abc import Sequence

from launch.plans.graph import Planned
from launch.runs.ledger import Run
from motiongpt.printable import printable


def text_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Left-aligned columns, two spaces apart."""
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in [header, *rows]) for column in range(len(header))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [header, ["-" * width for width in widths], *rows]
    ]
    return "\n".join(lines)


MANY = 60


def stage_lines(plan: Sequence[Planned]) -> list[str]:
    """The plan: one line a stage, with what it builds on and whether it will run.

    A long plan is summed up, one line for all stages of a name.
    """
    finished = {stage.run.signature: stage.finished for stage in plan}
    todo = sum(not one for one in finished.values())
    total = f"{len(plan)} stages: {todo} to run, {len(plan) - todo} reused"
    if len(plan) > MANY:
        names = dict.fromkeys(stage.run.stage for stage in plan)
        counts = [
            [finished[stage.run.signature] for stage in plan if stage.run.stage == name]
            for name in names
        ]
        rows = [
            [name, str(len(one)), str(len(one) - sum(one)), str(sum(one))]
            for name, one in zip(names, counts, strict=True)
        ]
        return [text_table(["stage", "all", "to run", "reused"], rows), total]
    rows = [
        [
            stage.run.stage,
            stage.run.signature,
            "reused" if finished[stage.run.signature] else _state(stage),
            " ".join(f"{name}:{run.signature[:8]}" for name, run in stage.parents.items()) or "-",
        ]
        for stage in plan
    ]
    return [text_table(["stage", "signature", "state", "builds on"], rows), total]


def _state(stage: Planned) -> str:
    return "made anew" if stage.again else stage.run.state


def result_text(run: Run) -> str:
    """The table that the run made, or its metrics one by one."""
    table = run.folder / "table.txt"
    if table.exists():
        return table.read_text(errors="replace").rstrip()
    return "\n".join(f"  {name:<40} {value:.4g}" for name, value in run.metrics.items())
