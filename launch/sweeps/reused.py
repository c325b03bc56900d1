"""What is wrong with the finished runs of a plan: files that are damaged, code that has changed."""

from collections.abc import Sequence
from dataclasses import replace

from launch.plans.graph import Planned
from launch.runs.code import changed_files
from launch.runs.ledger import damage_of
from motiongpt.errors import UserError

NAMED = 8
"""Files that a line names."""


def made_again(plan: Sequence[Planned], names: Sequence[str]) -> list[Planned]:
    """The plan in which all stages of these names, and all that follow from them, are made anew.

    Args:
        plan: parents before children.

    Raises:
        UserError: no stage of such a name.
    """
    known = dict.fromkeys(stage.run.stage for stage in plan)
    for name in names:
        if name not in known:
            raise UserError(
                f"--again {name}: no such stage in this plan; it has {', '.join(known)}"
            )
    chosen: set[str] = set()
    for stage in plan:
        parents = {run.signature for run in stage.parents.values()}
        if stage.run.stage in names or parents & chosen:
            chosen.add(stage.run.signature)
    return [
        replace(stage, again=stage.run.signature in chosen and stage.run.folder.is_dir())
        for stage in plan
    ]


def reused_lines(plan: Sequence[Planned]) -> list[str]:
    """One line for each damaged run, and one for each stage some of whose runs other code made."""
    lines = list(_damaged(plan).values())
    changed: dict[str, list[list[str]]] = {}
    for stage in plan:
        files = changed_files(stage.run) if stage.finished else []
        if files:
            changed.setdefault(stage.run.stage, []).append(files)
    for name, runs in changed.items():
        files = sorted({file for one in runs for file in one})
        more = f" and {len(files) - NAMED} more" if len(files) > NAMED else ""
        count = f"{len(runs)} runs were" if len(runs) > 1 else "was"
        lines.append(
            f"{name}: {count} made by other code, which differs in {', '.join(files[:NAMED])}"
            f"{more}: --again {name} makes it and what follows anew"
        )
    return lines


def check_undamaged(plan: Sequence[Planned]) -> None:
    """Refuse a plan of which something that is to run is, or builds on, a damaged run.

    Raises:
        UserError: names the first.
    """
    damaged = _damaged(plan)
    for stage in plan:
        for run in () if stage.finished else (stage.run, *stage.parents.values()):
            if run.signature in damaged:
                raise UserError(damaged[run.signature])


def _damaged(plan: Sequence[Planned]) -> dict[str, str]:
    """Signature -> what is wrong, at a cheap look: which files are there and how long they are."""
    found = {stage.run.signature: damage_of(stage.run) for stage in plan if not stage.again}
    return {signature: said for signature, said in found.items() if said}
