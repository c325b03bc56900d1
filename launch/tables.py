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
    finished = [stage.finished for stage in plan]
    total = f"{len(plan)} stages: {finished.count(False)} to run, {sum(finished)} reused"
    unprepared = dict.fromkeys(str(stage.data) for stage in plan if not stage.is_prepared)
    if unprepared:
        total += (
            f"; data would be prepared first in {', '.join(unprepared)}: until then signatures, "
            "and what can be reused, are not known"
        )
    if len(plan) > MANY:
        return [_summary(plan, finished, told), total]
    rows = [
        [
            stage.run.stage,
            stage.run.signature if stage.is_prepared else "-",
            "reused" if is_finished else stage.run.state,
            _builds_on(stage),
            in_words(own),
        ]
        for stage, is_finished, own in zip(plan, finished, told, strict=True)
    ]
    header = ["stage", "signature", "state", "builds on", "differs in"]
    if not any(told):
        header, rows = header[:-1], [row[:-1] for row in rows]
    return [text_table(header, rows), total]


def _summary(
    plan: Sequence[Planned], finished: Sequence[bool], told: Sequence[Mapping[str, str]]
) -> str:
    """One line for all stages of a name."""
    counts: dict[str, list[bool]] = {}
    for stage, is_finished in zip(plan, finished, strict=True):
        counts.setdefault(stage.run.stage, []).append(is_finished)
    rows = [
        [name, str(len(one)), str(one.count(False)), str(sum(one)), _differ(plan, told, name)]
        for name, one in counts.items()
    ]
    return text_table(["stage", "all", "to run", "reused", "differs in"], rows)


def in_words(differing: Mapping[str, str]) -> str:
    """As downsampling=2 codebook_size=512; a dash for nothing."""
    return " ".join(f"{key}={value}" for key, value in differing.items()) or "-"


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
