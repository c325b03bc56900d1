"""Run a plan in this process: what is finished is skipped, the rest runs in order."""

import time
from collections.abc import Sequence

from launch.jobs.run_stage import run_stage
from launch.plans.graph import Planned
from motiongpt.errors import user_error_behind
from motiongpt.printable import printable
from motiongpt.training.stopping import Interrupted, StopRequest


def execute(plan: Sequence[Planned], group: str = "") -> dict[str, str]:
    """Run every unfinished stage, parents first.

    A stage that fails does not stop the others; its children are not started.

    Args:
        group: under which loggers show the runs; empty for what the configuration says.

    Returns:
        Signature -> one line on what went wrong, empty where all went well.

    Raises:
        KeyboardInterrupt: the process was asked to stop; the same plan goes on later.
    """
    failed: dict[str, str] = {}
    with StopRequest().listening() as stop:
        for number, stage in enumerate(plan, start=1):
            name = f"[{number}/{len(plan)}] {stage.run.stage} {stage.run.signature}"
            broken = [one.stage for one in stage.parents.values() if one.signature in failed]
            if broken:
                failed[stage.run.signature] = f"not started: {broken[0]} failed"
                print(f"{name}: not started, because {broken[0]} failed", flush=True)
            elif stage.finished:
                print(f"{name}: reused", flush=True)
            else:
                said = _run(name, stage, stop, group)
                if said:
                    failed[stage.run.signature] = said
            if stop.requested:
                raise KeyboardInterrupt
    return failed


def _run(name: str, stage: Planned, stop: StopRequest, group: str) -> str:
    """Run one stage and say how it went; returns one line if it failed."""
    print(f"{name}: {'goes on' if stage.run.state == 'interrupted' else 'starts'}", flush=True)
    started = time.monotonic()
    try:
        run_stage(stage, stop, group=group)
    except Interrupted as error:
        raise KeyboardInterrupt from error
    except Exception as error:  # the log has the traceback; other points still run
        said = printable(str(user_error_behind(error) or f"{type(error).__name__}: {error}"), "\n")
        print(f"{name}: failed: {said}\n  traceback: {stage.run.where / 'error.txt'}", flush=True)
        return said
    print(f"{name}: finished in {time.monotonic() - started:.0f} s", flush=True)
    return ""
