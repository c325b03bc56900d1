"""Send one W&B run from its parts: `python -m launch.loggers.wandb_replay FILE …`, oldest first.

A process of its own, since `wandb` may wait for a server for ever, and keeps what it has read of
one run's settings for the next.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from launch.loggers.wandb_artifacts import send_artifact
from launch.loggers.wandb_rows import Part, joined_rows, read_part
from launch.loggers.wandb_server import check_arrived, log_row, open_run

OF_THIS_MACHINE = {
    "console": "off",
    "disable_git": True,
    "disable_code": True,
    "x_disable_meta": True,
    "x_disable_stats": True,
    "x_save_requirements": False,
}
"""Settings of `wandb.Settings` against its notes on where it runs: that is not where we trained."""


def replay(parts: Sequence[Part], scratch: str) -> None:
    """Log what the server lacks of the run that `parts`, oldest first, make together.

    Raises:
        ConnectionError: the server has not all of it.
        Exception: whatever W&B raises.
    """
    rows, last = joined_rows(parts), parts[-1]
    run = open_run(last.run, scratch, **OF_THIS_MACHINE)
    for part in parts:
        run.config.update(part.config, allow_val_change=True)
    known = run.step  # what is below, the server has
    for step, values in rows.items():
        if step >= known:
            log_row(run, values, step)
    if last.artifact is not None:
        send_artifact(run, last.artifact)
    run.finish(exit_code=0 if last.ended == "success" else 1)
    check_arrived(run, max(rows, default=-1))


def main(files: Sequence[str]) -> int:
    """1, after one line, if the server has not got all."""
    try:
        parts = [part for part in map(read_part, map(Path, files)) if part is not None]
        with tempfile.TemporaryDirectory() as scratch:
            replay(parts, scratch)
    except Exception as error:  # whatever W&B raises; its own words are the reason
        hint = "; pip install wandb" if isinstance(error, ImportError) else ""
        print((str(error).partition("\n")[0] or type(error).__name__) + hint, file=sys.stderr)
    else:
        return 0
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
