"""Processes of this machine: as many stages at once as its cores and GPUs allow."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from launch.jobs.estimate import cost_lines, planned_job
from launch.jobs.plan_file import planned_as_json
from launch.jobs.process_jobs import ProcessJobs, process_id
from launch.jobs.processes import local_variables
from launch.jobs.resources import Resources, resources_for, with_resources
from launch.jobs.work import Work
from launch.plans.graph import Planned
from launch.runs.owner import Owner
from launch.runs.snapshot import take_snapshot
from launch.tables import text_table
from motiongpt.errors import UserError
from motiongpt.training.stopping import StopRequest

POLL_SECONDS = 0.2


@dataclass
class Running:
    """A stage at work: its processes, its output and its GPUs."""

    stage: Planned
    processes: Sequence[subprocess.Popen[bytes]]
    output: IO[bytes]
    gpus: Sequence[int]
    started: float


class LocalLauncher(ProcessJobs):
    """Runs each stage in processes of its own, parents first.

    Args:
        parallel: stages that run at once.
        gpus: numbers of this machine's GPUs that may be used.
        resources: of every stage, see `Resources`; one node.
        stages: stage -> what of its resources differs.
    """

    def __init__(
        self,
        parallel: int,
        gpus: Sequence[int],
        resources: Mapping[str, Any],
        stages: Mapping[str, Mapping[str, Any]],
    ) -> None:
        if parallel < 1:
            raise UserError(f"launcher.parallel={parallel}: at least 1")
        self.parallel, self.gpus = parallel, list(gpus)
        self.resources, self.stages = dict(resources), {k: dict(v) for k, v in stages.items()}

    def describe(self, work: Work) -> str:
        """What runs at once, and GPU hours.

        Raises:
            UserError: a stage that wants several nodes, or more GPUs than there are.
        """
        pairs = [(stage, self._resources(stage)) for stage in work.unfinished]
        counts: dict[tuple[str, str], int] = {}
        for stage, one in pairs:
            key = (stage.run.stage, str(one))
            counts[key] = counts.get(key, 0) + 1
        rows = [[name, str(count), given] for (name, given), count in counts.items()]
        if not rows:
            return "nothing to run"
        return "\n".join(
            [
                text_table(["stage", "jobs", "each"], rows),
                f"at most {self.parallel} at once on this machine",
                *cost_lines([planned_job(*pair, here=True) for pair in pairs], work.root),
            ]
        )

    def launch(self, work: Work, wait: bool) -> bool:
        """Run all of it; always to the end.

        Raises:
            KeyboardInterrupt: asked to stop; every stage has been told to keep what it has.
        """
        todo = list(work.unfinished)
        if not todo:
            return True
        snapshot, folder = take_snapshot(work.root), work.new_submission()
        Owner.this_process().write(folder)
        running: list[Running] = []
        with StopRequest().listening() as stop, stop.deferred():
            try:
                self._run_all(todo, running, work, folder, snapshot, stop)
            finally:  # asked to stop, or a disk is full: no stage runs on without us
                _stop(running)
            if stop.requested:
                raise KeyboardInterrupt
        return True

    def _run_all(
        self,
        todo: list[Planned],
        running: list[Running],
        work: Work,
        folder: Path,
        snapshot: Path,
        stop: StopRequest,
    ) -> None:
        """Start what can be, until all have ended or a stop is asked for."""
        failed: set[str] = set()
        free = list(self.gpus)
        while (todo or running) and not stop.requested:
            for one in [one for one in running if _ended(one)]:
                running.remove(one)
                free += one.gpus
                if not one.stage.run.is_finished:
                    failed.add(one.stage.run.signature)
            for stage in _without_hope(todo, failed):
                todo.remove(stage)
                failed.add(stage.run.signature)
                _tell(stage, "not started, because what it builds on failed")
            ready = [stage for stage in todo if all(p.is_finished for p in _parents(stage))]
            for stage in ready[: self.parallel - len(running)]:
                wanted = self._resources(stage).gpus
                if wanted <= len(free):
                    given, free = free[:wanted], free[wanted:]
                    running.append(self._start(stage, work, folder, snapshot, given))
                    todo.remove(stage)
            time.sleep(POLL_SECONDS)

    def _start(
        self, stage: Planned, work: Work, folder: Path, snapshot: Path, gpus: Sequence[int]
    ) -> Running:
        resources = self._resources(stage)
        name = f"{stage.run.stage}-{stage.run.signature}"
        plan = folder / f"{name}.json"
        plan.write_text(planned_as_json(with_resources(stage, resources)))
        output = (folder / f"{name}.log").open("ab")
        port, job = _free_port(), f"{process_id(Owner.this_process())}:{name}"
        processes = []
        for rank in range(resources.world):
            variables = {
                **os.environ,
                **local_variables(rank, resources.world, port, job),
                "PYTHONPATH": os.pathsep.join(
                    part for part in (str(snapshot), os.environ.get("PYTHONPATH")) if part
                ),
                "PYTHONSAFEPATH": "1",
                "OMP_NUM_THREADS": str(resources.cpus),
                "CUDA_VISIBLE_DEVICES": ",".join(map(str, gpus)),
            }
            words = [sys.executable, "-m", "launch.jobs.worker", work.group, str(plan)]
            processes.append(
                subprocess.Popen(
                    words,
                    env=variables,
                    stdin=subprocess.PIPE,  # its end tells the worker that the launcher is gone
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # Ctrl-C is for the launcher, who passes it on
                )
            )
        _tell(stage, f"starts ({output.name})")
        return Running(stage, processes, output, gpus, time.monotonic())

    def _resources(self, stage: Planned) -> Resources:
        resources = resources_for(stage, self.resources, self.stages)
        if resources.nodes > 1:
            raise UserError(
                f"stage {stage.run.stage}: launcher=local is one node and "
                f"launcher.resources asks for {resources.nodes}; use launcher=slurm"
            )
        if resources.gpus > len(self.gpus):
            raise UserError(
                f"stage {stage.run.stage}: {resources.gpus} GPUs are asked for and "
                f"launcher.gpus names {len(self.gpus)}"
            )
        return resources


def _parents(stage: Planned) -> list[Any]:
    return list(stage.parents.values())


def _without_hope(todo: Sequence[Planned], failed: set[str]) -> list[Planned]:
    return [stage for stage in todo if any(p.signature in failed for p in _parents(stage))]


def _ended(one: Running) -> bool:
    """Whether all processes have ended; one that failed takes the others with it."""
    codes = [process.poll() for process in one.processes]
    if any(codes):
        _signal(one, signal.SIGKILL)
    if None in codes:
        return False
    _close(one)
    seconds = time.monotonic() - one.started
    if one.stage.run.is_finished:
        _tell(one.stage, f"finished in {seconds:.0f} s")
    else:
        why = one.stage.run.status.get("error") or f"exit status {next(filter(None, codes), 0)}"
        _tell(one.stage, f"failed after {seconds:.0f} s: {why}\n  output: {one.output.name}")
    return True


def _stop(running: Sequence[Running]) -> None:
    """Ask every stage to write a checkpoint and end, and wait for it."""
    for one in running:
        _signal(one, signal.SIGTERM)
    if running:
        with contextlib.suppress(OSError):  # the terminal may be what has just closed
            print(f"stopping {len(running)} stages at the end of their step", flush=True)
    for one in running:
        for process in one.processes:
            process.wait()
        _close(one)


def _close(one: Running) -> None:
    one.output.close()
    for process in one.processes:
        assert process.stdin is not None
        process.stdin.close()


def _signal(one: Running, number: int) -> None:
    for process in one.processes:
        if process.poll() is None:
            process.send_signal(number)


def _tell(stage: Planned, what: str) -> None:
    print(f"{stage.run.stage} {stage.run.signature}: {what}", flush=True)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
