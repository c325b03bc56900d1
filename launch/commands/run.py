"""Run an experiment, or a sweep of them with -m; finished stages are reused."""

import argparse
from collections.abc import Sequence

from launch.composition.compose import expand, parse_overrides
from launch.hydra_app import is_for_hydra, run_hydra
from launch.plans.graph import union
from launch.plans.planning import plan_sweep
from launch.sweeps.carry_out import carry_out
from launch.sweeps.record import Sweep, make_sweep
from motiongpt.errors import UserError

EXAMPLES = """examples:
  motiongpt run experiment=quickstart
  motiongpt run data=bandai_namco data.source.path=bandai_all.tar.xz experiment=bandai_small
  motiongpt run -m downsampling=1,2,4,8 goal=tokenizer
  motiongpt run -m tasks=text_to_motion,all --dry-run
  motiongpt run -m downsampling=2,4,8 backbone=t5_tiny,gpt2_tiny launcher=slurm
  motiongpt run -m hydra/sweeper=optuna hydra.sweeper.n_trials=20 goal=tokenizer \\
      objective=tokenizer/val/mpjpe_mm 'stage.tokenizer.learning_rate=interval(1e-4,1e-3)'
  motiongpt run -m hydra/launcher=submitit_slurm downsampling=1,2,4,8 goal=tokenizer
"""


def main(arguments: Sequence[str], resumed: Sweep | None = None) -> int:
    """Run, or submit; 1 if an experiment has no result.

    Args:
        resumed: the recorded sweep that the command is to go on with.
    """
    parser = argparse.ArgumentParser(
        prog="motiongpt run",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "overrides", nargs="*", help="Hydra overrides: group=choice or option=value"
    )
    parser.add_argument(
        "-m",
        "--multirun",
        action="store_true",
        help="every combination of the overrides that list several values",
    )
    parser.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    parser.add_argument(
        "--wait", action="store_true", help="launcher=slurm: stay until all jobs have ended"
    )
    options = parser.parse_intermixed_args(arguments)
    if is_for_hydra(options.overrides):
        if options.dry_run:
            raise UserError("--dry-run plans for launcher=; leave the overrides of hydra away")
        run_hydra(options.overrides, options.multirun)
        return 0
    points = sweep_points(options.overrides, options.multirun)
    plans = plan_sweep(points, prepare=not options.dry_run)
    config = plans[0][0].config
    sweep = make_sweep(config.paths.root, ["run", *arguments], points, plans)
    return carry_out(sweep, union(plans), config, options.dry_run, options.wait, resumed)


def sweep_points(overrides: Sequence[str], multirun: bool) -> list[list[str]]:
    """One list of overrides per experiment.

    Raises:
        UserError: several values without -m.
    """
    if multirun:
        return expand(overrides)
    for override in parse_overrides(overrides):
        if override.is_sweep_override():
            raise UserError(f"{override.input_line}: several values are a sweep; add -m")
    return [list(overrides)]
