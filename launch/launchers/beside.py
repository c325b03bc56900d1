"""Everything in this process, and what nothing waits for meanwhile beside it, in a second one."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace

from launch.jobs.execute import execute
from launch.jobs.plan_file import planned_as_json
from launch.jobs.process_jobs import process_id
from launch.jobs.processes import local_variables
from launch.jobs.resources import Resources, with_resources
from launch.jobs.work import Work
from launch.launchers.debug import DebugLauncher
from launch.plans.graph import Planned
from launch.runs.owner import Owner


class BesideLauncher(DebugLauncher):
    """Runs the plan here and now, as `DebugLauncher` does, and some stages on a core of their own.

    Two networks trained side by side, each by one thread, are done sooner than one after the other
    by two threads: a small network's step is too short to be shared out. First come the stages that
    leave a core to the second process, then this process takes, from behind, what that has not
    begun, and waits for what it has; then come the others, with all cores. Who gets how many
    threads is told by the names of the stages alone, never by what happens to run: the number of
    threads changes how sums are rounded. Where this process may use one core only, it does
    everything.

    The second process is a help, not a need: a stage that it did not finish is run here.

    Args:
        beside: stages that the second process runs, one after the other, by one thread.
        meanwhile: stages that leave that core to it.
    """

    def __init__(self, beside: Sequence[str], meanwhile: Sequence[str]) -> None:
        self.beside, self.meanwhile = tuple(beside), tuple(meanwhile)

    def launch(self, work: Work, wait: bool) -> bool:
        """Run it; always to the end.

        Raises:
            KeyboardInterrupt: asked to stop; both processes have kept what they could.
        """
        cores = len(os.sched_getaffinity(0))
        aside = [stage for stage in work.unfinished if stage.run.stage in self.beside]
        if cores < 2 or not aside or len(aside) == len(work.unfinished):
            return super().launch(work, wait)
        plan = [self.with_threads(stage, cores) for stage in self.in_turn(work.plan)]
        with _second_process(aside, work):
            execute(plan, group=work.group)
        return True

    def in_turn(self, plan: Sequence[Planned]) -> list[Planned]:
        """`plan` in the order of this process, parents before children still."""
        behind = [stage.run.signature for stage in plan if stage.run.stage in self.beside]

        def rank(stage: Planned) -> int:
            if stage.run.stage in self.beside:
                return 1 + len(behind) - behind.index(stage.run.signature)
            return 0 if stage.run.stage in self.meanwhile else 2 + len(behind)

        todo, placed = list(plan), list[Planned]()
        while todo:
            done = {stage.run.signature for stage in placed}
            ready = [stage for stage in todo if done.issuperset(_parents(stage))]
            placed.append(min(ready, key=rank))
            todo.remove(placed[-1])
        return placed

    def with_threads(self, stage: Planned, cores: int) -> Planned:
        """`stage`, told how many threads it has where `cores` are shared by both processes."""
        if stage.run.stage in self.beside:
            return _with_threads(stage, 1)
        return _with_threads(stage, cores - 1) if stage.run.stage in self.meanwhile else stage


def _parents(stage: Planned) -> set[str]:
    return {parent.signature for parent in stage.parents.values()}


def _with_threads(stage: Planned, threads: int) -> Planned:
    hardware = {**stage.settings.get("hardware", {}), "threads": threads}
    return replace(stage, settings={**stage.settings, "hardware": hardware})


@contextlib.contextmanager
def _second_process(stages: Sequence[Planned], work: Work) -> Iterator[None]:
    """Run `stages` in a process of its own for as long as this one is inside; then stop it."""
    folder, owner = work.new_submission(), Owner.this_process()
    owner.write(folder)
    plans = []
    for stage in stages:
        plan = folder / f"{stage.run.stage}-{stage.run.signature}.json"
        alone = with_resources(_with_threads(stage, 1), Resources(gpus=0))
        plan.write_text(planned_as_json(alone))
        plans.append(str(plan))
    output = folder / "beside.log"
    names = ", ".join(stage.run.stage for stage in stages)
    with output.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "launch.jobs.worker", work.group, *plans],
            env={
                **os.environ,
                **local_variables(0, 1, 0, f"{process_id(owner)}:beside"),
                "OMP_NUM_THREADS": "1",
            },
            stdin=subprocess.PIPE,  # its end tells the worker that this process is gone
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for this process, which passes it on
        )
    print(f"beside, in a process of their own: {names} ({output})", flush=True)
    try:
        yield
    finally:
        process.terminate()
        process.wait()
        assert process.stdin is not None
        process.stdin.close()
