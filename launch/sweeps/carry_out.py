"""From a plan to its results: what `run`, `reproduce`, `audit` and Hydra's sweepers share."""

from collections.abc import Sequence
from dataclasses import replace

from launch.composition.build import build
from launch.jobs.work import Work
from launch.launchers.base import Launcher
from launch.plans.graph import Planned, needed
from launch.sweeps.agent_run import check_is_one_experiment, take_agent_run, tell_agent_run
from launch.sweeps.changes import changes_since
from launch.sweeps.differences import differences
from launch.sweeps.experiments import Experiments
from launch.sweeps.preflight import preflight_lines
from launch.sweeps.record import Sweep
from launch.sweeps.report_job import ReportJob
from launch.sweeps.reused import check_undamaged, reused_lines
from launch.tables import stage_lines


def carry_out(
    experiments: Experiments, dry_run: bool, wait: bool, resumed: Sweep | None = None
) -> int:
    """Show the plan, hand it to the launcher, report if it has ended.

    Args:
        dry_run: show the plan and stop; nothing is written.
        wait: stay until all jobs have ended; as a `wandb agent`'s command always does.
        resumed: the recorded sweep that this one is to go on with.

    Returns:
        Exit status: 1 if an experiment has no result.

    Raises:
        UserError: something that a stage needs is missing, something that is to run builds on a
            damaged run, the launcher can't run the plan, or it is several experiments and a `wandb
            agent` waits for one.
    """
    sweep, agent = experiments.sweep, take_agent_run()
    if agent is not None:
        check_is_one_experiment(sweep)
    launcher: Launcher = build(experiments.config.launcher, "launcher")
    plan = needed(experiments.plan)
    report_job = ReportJob(sweep.root, sweep.name)
    work = Work(sweep.root, sweep.name, sweep.folder, sweep.group, plan, report_job)
    if resumed is not None and (changes := changes_since(resumed, sweep, plan)):
        print(changes, flush=True)
    lines = [*stage_lines(plan, differences(sweep.points)), *reused_lines(plan)]
    print("\n".join(lines), flush=True)
    check_undamaged(plan)
    described = launcher.describe(work)
    for text in [*([described] if described else []), *preflight_lines(plan, work.root)]:
        print(text, flush=True)
    if dry_run:
        return 0
    sweep.write()
    if not launcher.launch(replace(work, plan=_outdated(plan)), wait or agent is not None):
        return 0
    from launch.sweeps.closing import close_sweep  # loads what draws tables; a plan needs none

    report = close_sweep(sweep)
    print(report.text, flush=True)
    if agent is not None:
        tell_agent_run(agent, sweep, experiments.plans, failed=bool(report.missing))
    return 1 if report.missing else 0


def _outdated(plan: Sequence[Planned]) -> list[Planned]:
    """The plan, after marking the runs that are made anew: now every process sees that they are."""
    for stage in plan:
        if stage.again:
            stage.run.outdate()
    return [replace(stage, again=False) for stage in plan]
