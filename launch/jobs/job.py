"""What a job of the cluster, or of this machine, does: one stage."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from submitit.helpers import DelayedSubmission

from launch.jobs.plan_file import read_planned
from launch.jobs.processes import slurm_processes
from launch.jobs.run_stage import run_stage
from launch.plans.graph import Planned
from launch.quiet import never_fail_to_print, quiet
from launch.runs.attempts import Superseded
from motiongpt.distributed import process_group_ended
from motiongpt.errors import UserError
from motiongpt.training.stage import Processes
from motiongpt.training.stopping import Interrupted, StopRequest

PATIENCE_SECONDS = 60.0
"""How long a shared file system may take to show another node's finished run."""
STOPPED = 75
"""Exit status of a stage that was asked to stop: try again later, in sysexits' words."""


class StageJob:
    """Runs the stage of one plan file; submitit calls it, and asks it for what to requeue.

    Args:
        plan: the file that `planned_as_json` wrote.
        group: of the sweep, for loggers.
    """

    def __init__(self, plan: Path, group: str) -> None:
        self.plan, self.group = str(plan), group

    def __call__(self) -> str:
        """Run it; returns the signature.

        Raises:
            SystemExit: it was asked to stop and has kept what it could.
        """
        ahead_of_time = signal.getsignal(signal.SIGUSR2)
        assert callable(ahead_of_time), "submitit's own handler, which requeues the job"

        def requeue() -> None:
            ahead_of_time(signal.SIGUSR2, None)

        return run_job(Path(self.plan), self.group, slurm_processes(), requeue)

    def checkpoint(self, *arguments: Any) -> DelayedSubmission:
        """What the requeued job does: the same; its run goes on from its last checkpoint."""
        return DelayedSubmission(self)


def run_job(
    plan: Path, group: str, processes: Processes, requeue: Callable[[], None] | None = None
) -> str:
    """Run the stage of a plan file as this process's whole work.

    Args:
        requeue: asks the scheduler for another start, ahead of a time limit or a preemption.

    Raises:
        SystemExit: it was asked to stop and has kept what it could.
        UserError: a parent has no result.
    """
    quiet()
    never_fail_to_print()
    stage = read_planned(plan)
    _restrict_threads()
    with StopRequest().listening() as stop, process_group_ended():
        try:
            _wait_for_parents(stage)
            run_stage(stage, stop, processes, group)
        except (Interrupted, KeyboardInterrupt) as error:
            if not processes.is_first:
                return stage.run.signature
            if stop.signal == signal.SIGUSR2 and requeue is not None:
                with stop.deferred():  # the scheduler's next signal must not cut this short
                    requeue()
            raise SystemExit(STOPPED) from error
        except Superseded as error:
            print(error, flush=True)
            raise SystemExit(STOPPED) from error
    return stage.run.signature


def _wait_for_parents(stage: Planned) -> None:
    """A scheduler may start a job whose parent it has forgotten; a file system may be slow.

    Raises:
        UserError: a parent is not finished.
    """
    deadline = time.monotonic() + PATIENCE_SECONDS
    for parent in stage.parents.values():
        while not parent.is_finished:
            state = parent.state
            if state == "failed" or time.monotonic() > deadline:
                raise UserError(
                    f"stage {stage.run.stage} {stage.run.signature} can't start: its parent "
                    f"{parent.stage} {parent.signature} is {state}; `motiongpt resume` runs both"
                )
            time.sleep(1.0)


def _restrict_threads() -> None:
    """As many threads as the job was given cores: torch would take all of the node's."""
    import torch

    cores = os.environ.get("SLURM_CPUS_PER_TASK")
    if cores:
        torch.set_num_threads(int(cores))
