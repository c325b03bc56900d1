"""Parts of W&B runs, written for tests as a stage writes them, and read back."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from launch.loggers.wandb_rows import part_files, read_part
from launch.loggers.wandb_server import GLOBAL_STEP as STEP


def write_part(
    folder: Path,
    run_id: str,
    started: int,
    steps: Sequence[int | None],
    ended: bool = True,
    loss: float = 1.0,
) -> Path:
    """Write a part of a run below `folder`; returns its file.

    Args:
        started: Unix seconds.
        steps: optimiser step, or None, of each row.
        ended: False for a process that was killed.
        loss: of each row, to tell parts by.
    """
    run = {"id": run_id, "project": "p", "group": f"group-{started}", "resume": "allow"}
    lines: list[dict[str, Any]] = [{"run": {**run, "settings": {}}, "time": started}]
    lines.append({"config": {"of": started}})
    for number, step in enumerate(steps):
        values = {"loss": loss} if step is None else {"loss": loss, STEP: step}
        lines.append({"row": values, "step": step, "time": started + 10 + number})
    lines += [{"end": "success"}] * ended
    file = Path(folder) / "wandb" / f"{started:020d}-1.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


def parts(folder: Path) -> list[Any]:
    """All parts in a folder of a run."""
    return [read_part(file) for file in part_files(folder)]


def only_part(folder: Path) -> Any:
    """The part of a run that was not interrupted."""
    (part,) = parts(folder)
    return part
