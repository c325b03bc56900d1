"""Run an experiment, or a sweep of them with -m; finished stages are reused."""

import argparse
from collections.abc import Sequence

from launch.composition.overrides import expand, one_value_each, parse_overrides
from launch.composition.seeds import asks_for_seeds, with_seeds
from launch.hydra_app import is_for_hydra, is_for_sweeper, run_hydra, show_by_hydra
from launch.plan_options import add_config_dir, add_plan_options, with_own_configs
from launch.sweeps.agent_run import is_under_agent
from launch.sweeps.carry_out import carry_out
from launch.sweeps.experiments import plan_experiments
from launch.sweeps.record import Sweep
from motiongpt.errors import UserError

INFO = ["all", "config", "defaults", "defaults-tree", "plugins", "searchpath"]
EXAMPLES = """examples:
  motiongpt run experiment=quickstart
  motiongpt run data=bandai_namco data.source.path=bandai_all.tar.xz experiment=bandai_small
  motiongpt run -m downsampling=1,2,4,8 goal=tokenizer
  motiongpt run -m tasks=text_to_motion,all --dry-run
  motiongpt run seeds=3 experiment=quickstart               # three models; or -m seed=1,2,3
  motiongpt run experiment=quickstart --again tokenizer     # and all that follows from it
  motiongpt run -m downsampling=2,4,8 backbone=t5_tiny,gpt2_tiny launcher=slurm
  motiongpt run -m hydra/sweeper=optuna hydra.sweeper.n_trials=20 goal=tokenizer \\
      objective=tokenizer/val/mpjpe_mm 'stage.tokenizer.learning_rate=interval(1e-4,1e-3)'
  motiongpt run -m hydra/launcher=submitit_slurm downsampling=1,2,4,8 goal=tokenizer
  motiongpt run hydra/launcher=submitit_slurm seeds=3       # but with no hydra/sweeper
  motiongpt run --config-dir my_configs experiment=mine --cfg job --package stage.tokenizer
  eval "$(motiongpt --shell-completion install=bash)"
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
    add_plan_options(parser)
    add_config_dir(parser)
    hydras = parser.add_argument_group("as Hydra has them, of one experiment or each of a sweep")
    hydras.add_argument("--cfg", choices=["job", "hydra", "all"], help="print the configuration")
    hydras.add_argument("--package", help="--cfg: this part of it only, as stage.tokenizer")
    hydras.add_argument("--resolve", action="store_true", help="--cfg: references followed")
    hydras.add_argument("--info", nargs="?", const="all", choices=INFO, help="print how it is made")
    options = parser.parse_intermixed_args(arguments)
    options.overrides = with_own_configs(options.overrides, options)
    if asks_for_seeds(options.overrides):
        if is_for_sweeper(options.overrides):
            raise UserError(
                "seeds=: a sweeper of Hydra's would look for the best seed among them; leave it "
                "away, or hydra/sweeper"
            )
        options.overrides = with_seeds(options.overrides, expand)
        options.multirun = True
    if options.cfg or options.info:
        show_by_hydra(_flags(options), sweep_points(options.overrides, options.multirun))
        return 0
    if is_for_hydra(options.overrides):
        if is_under_agent():
            raise UserError(
                "hydra/, hydra.: under `wandb agent` its sweep proposes the values; launcher=slurm "
                "runs the stages on a cluster"
            )
        run_hydra(options.overrides, options.multirun, options.dry_run, options.again)
        return 0
    points = sweep_points(options.overrides, options.multirun)
    experiments = plan_experiments(
        points, _command(options), prepare=not options.dry_run, again=options.again
    )
    return carry_out(experiments, options.dry_run, options.wait, resumed)


def sweep_points(overrides: Sequence[str], multirun: bool) -> list[list[str]]:
    """One list of overrides per experiment.

    Raises:
        UserError: several values without -m.
    """
    if multirun:
        return expand(overrides)
    parsed = parse_overrides(overrides)
    one_value_each(parsed)
    return [[str(one.input_line) for one in parsed]]


def _command(options: argparse.Namespace) -> list[str]:
    """The words that make this sweep again, wherever they are typed."""
    flags = {"-m": options.multirun, "--dry-run": options.dry_run, "--wait": options.wait}
    return ["run", *(flag for flag, given in flags.items() if given), *options.overrides]


def _flags(options: argparse.Namespace) -> list[str]:
    """Hydra's flags that print instead of running."""
    given = {"--cfg": options.cfg, "--info": options.info, "--package": options.package}
    pairs = [word for flag, value in given.items() if value for word in (flag, value)]
    return [*pairs, *(["--resolve"] if options.resolve else [])]
