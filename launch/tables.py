"""Tables that the command line prints: the plan, the points of a sweep."""

from collections.abc import Mapping, Sequence

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


MANY = 60  # stages of a plan that is summed up
FEW = 8  # values of an option that are listed


def stage_lines(
    plan: Sequence[Planned], differing: Mapping[tuple[str, str], Mapping[str, str]] | None = None
) -> list[str]:
    """The plan: one line a stage, with what it builds on and whether it will run.

    A long plan is summed up, one line for all stages of a name.

    Args:
        differing: (stage, signature) -> option -> value, of what not all experiments of a sweep
            have; see `launch.sweeps.differences`.
    """
    told = [(differing or {}).get((stage.run.stage, stage.run.signature), {}) for stage in plan]
    finished = {stage.run.signature: stage.finished for stage in plan}
    todo = sum(not one for one in finished.values())
    total = f"{len(plan)} stages: {todo} to run, {len(plan) - todo} reused"
    unprepared = {str(stage.data): None for stage in plan if not stage.is_prepared}
    if unprepared:
        total += (
            f"; data would be prepared first in {', '.join(unprepared)}: until then signatures, "
            "and what can be reused, are not known"
        )
    if len(plan) > MANY:
        names = dict.fromkeys(stage.run.stage for stage in plan)
        counts = [
            [finished[stage.run.signature] for stage in plan if stage.run.stage == name]
            for name in names
        ]
        rows = [
            [
                name,
                str(len(one)),
                str(len(one) - sum(one)),
                str(sum(one)),
                _differ(plan, told, name),
            ]
            for name, one in zip(names, counts, strict=True)
        ]
        return [text_table(["stage", "all", "to run", "reused", "differs in"], rows), total]
    rows = [
        [
            stage.run.stage,
            stage.run.signature if stage.is_prepared else "-",
            "reused" if finished[stage.run.signature] else stage.run.state,
            _builds_on(stage),
            " ".join(f"{key}={value}" for key, value in own.items()) or "-",
        ]
        for stage, own in zip(plan, told, strict=True)
    ]
    header = ["stage", "signature", "state", "builds on", "differs in"]
    if not any(told):
        header, rows = header[:-1], [row[:-1] for row in rows]
    return [text_table(header, rows), total]


def _builds_on(stage: Planned) -> str:
    parents = stage.parents.items()
    if not stage.is_prepared:
        return " ".join(name for name, _ in parents) or "-"
    return " ".join(f"{name}:{run.signature[:8]}" for name, run in parents) or "-"


def _differ(plan: Sequence[Planned], told: Sequence[Mapping[str, str]], name: str) -> str:
    """Options in which stages of a name differ, with their values where they are few."""
    values: dict[str, dict[str, None]] = {}
    for stage, own in zip(plan, told, strict=True):
        for key, value in own.items() if stage.run.stage == name else ():
            values.setdefault(key, {})[value] = None
    said = [
        f"{key}={','.join(some)}" if len(some) <= FEW else f"{key} ({len(some)} values)"
        for key, some in values.items()
    ]
    return " ".join(said) or "-"


def result_text(run: Run) -> str:
    """The table that the run made, or its metrics one by one."""
    table = run.folder / "table.txt"
    if table.exists():
        return table.read_text().rstrip()
    return "\n".join(f"  {name:<40} {value:.4g}" for name, value in run.metrics.items())
