"""From a plan to its results: what `run`, `reproduce` and `resume` share."""

from collections.abc import Sequence

from omegaconf import DictConfig

from launch.composition.build import build
from launch.launchers.base import Launcher, Work
from launch.plans.graph import Planned
from launch.sweeps.closing import close_sweep
from launch.sweeps.record import Sweep
from launch.tables import stage_lines


def carry_out(
    sweep: Sweep, plan: Sequence[Planned], config: DictConfig, dry_run: bool, wait: bool
) -> int:
    """Show the plan, hand it to the launcher, report if it has ended.

    Args:
        plan: all stages of the sweep, each once, parents before children.
        config: of one of its experiments; names the launcher.
        dry_run: show the plan and stop; nothing is written.
        wait: stay until all jobs have ended.

    Returns:
        Exit status: 1 if an experiment has no result.
    """
    launcher: Launcher = build(config.launcher)
    work = Work(sweep, plan)
    print("\n".join(stage_lines(plan)), flush=True)
    described = launcher.describe(work)
    if described:
        print(described, flush=True)
    if dry_run:
        return 0
    sweep.write()
    if not launcher.launch(work, wait):
        return 0
    report = close_sweep(sweep)
    print(report.text, flush=True)
    return 1 if report.missing else 0
