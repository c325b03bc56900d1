"""From a plan to its results: what `run`, `reproduce` and `resume` share."""

from collections.abc import Sequence

from omegaconf import DictConfig

from launch.composition.build import build
from launch.jobs.work import Work
from launch.launchers.base import Launcher
from launch.plans.graph import Planned, needed
from launch.sweeps.changes import changes_since
from launch.sweeps.closing import close_sweep
from launch.sweeps.differences import differences
from launch.sweeps.preflight import preflight_lines
from launch.sweeps.record import Sweep
from launch.sweeps.report_job import ReportJob
from launch.tables import stage_lines


def carry_out(
    sweep: Sweep,
    plan: Sequence[Planned],
    config: DictConfig,
    dry_run: bool,
    wait: bool,
    resumed: Sweep | None = None,
) -> int:
    """Show the plan, hand it to the launcher, report if it has ended.

    Args:
        plan: all stages of the sweep, each once, parents before children.
        config: of one of its experiments; names the launcher.
        dry_run: show the plan and stop; nothing is written.
        wait: stay until all jobs have ended.
        resumed: the recorded sweep that this one is to go on with.

    Returns:
        Exit status: 1 if an experiment has no result.

    Raises:
        UserError: something that a stage needs is missing, or the launcher can't run the plan.
    """
    launcher: Launcher = build(config.launcher, "launcher")
    plan = needed(plan)
    report_job = ReportJob(sweep.root, sweep.name)
    work = Work(sweep.root, sweep.name, sweep.folder, sweep.group, plan, report_job)
    if resumed is not None and (changes := changes_since(resumed, sweep, plan)):
        print(changes, flush=True)
    print("\n".join(stage_lines(plan, differences(sweep.points))), flush=True)
    described = launcher.describe(work)
    for text in [*([described] if described else []), *preflight_lines(plan, work.root)]:
        print(text, flush=True)
    if dry_run:
        return 0
    sweep.write()
    if not launcher.launch(work, wait):
        return 0
    report = close_sweep(sweep)
    print(report.text, flush=True)
    return 1 if report.missing else 0
