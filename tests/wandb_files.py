"""W&B's own files: written for tests as W&B writes them, and read back."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from wandb.proto.wandb_internal_pb2 import Record  # type: ignore[attr-defined]
from wandb.sdk.internal.datastore import DataStore

STEP = "trainer/global_step"


def records(file: Path) -> Iterator[Any]:
    """All records of a file."""
    store = DataStore()
    store.open_for_scan(str(file))
    while (data := store.scan_data()) is not None:
        record = Record()
        record.ParseFromString(data)
        yield record
    store.close()


def rows(file: Path) -> list[dict[str, Any]]:
    """Rows of the history in a file."""
    return [
        {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items}
        for items in (record.history.item for record in records(file) if record.HasField("history"))
    ]


def write_part(
    folder: Path,
    run_id: str,
    started: int,
    steps: Mapping[int, int | None],
    ended: bool = True,
    mode: str = "offline-run",
    loss: float = 1.0,
) -> Path:
    """Write a part of a run below `folder`; returns its file.

    Args:
        started: Unix seconds.
        steps: W&B's step -> optimiser step, or None, of each row.
        ended: False for a process that was killed.
        loss: of each row, to tell parts by.
    """
    place = Path(folder) / "wandb" / f"{mode}-{started}-{run_id}"
    (place / "files").mkdir(parents=True)
    (place / "files" / f"of-{started}").touch()
    store = DataStore()
    file = place / f"run-{run_id}.wandb"
    store.open_for_write(str(file))
    run = Record()
    run.run.run_id, run.run.run_group = run_id, f"group-{started}"
    run.run.start_time.FromSeconds(started)
    store.write(run)
    for step, optimiser_step in steps.items():
        record = Record()
        record.history.step.num = step
        seconds = {"_timestamp": started + 10 + step, "_runtime": 10 + step}
        row = {"_step": step, **seconds, "loss": loss, STEP: optimiser_step}
        for key, value in row.items():
            if value is not None:
                record.history.item.add(nested_key=[key], value_json=json.dumps(value))
        store.write(record)
    if ended:
        record = Record()
        record.exit.exit_code = 0
        store.write(record)
    store.close()
    return file
