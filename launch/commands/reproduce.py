"""Run the sweep behind a published table and print it beside the published rows."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from launch.composition.studies import Study, find_studies, read_study
from launch.plan_options import (
    add_config_dir,
    add_plan_options,
    wherever_typed,
    with_own_configs,
)
from launch.sweeps.carry_out import carry_out
from launch.sweeps.experiments import plan_experiments
from launch.sweeps.record import Sweep
from motiongpt.errors import UserError

EXAMPLES = """examples:
  motiongpt reproduce table=downsampling --dry-run
  motiongpt reproduce table=downsampling data.source.path=HumanML3D \\
      evaluator.weights=t2m evaluator.word_vectors=glove
  motiongpt reproduce table=codebook experiment=bandai_small data.source.path=bandai_all.tar.xz
  motiongpt reproduce table=backbone experiment=quickstart backbone=t5_tiny,gpt2_tiny
  motiongpt reproduce table=downsampling experiment=quickstart seeds=3
  motiongpt reproduce table=t2m method=t2m_gpt,lookup protocol=motiongpt_release --dry-run
  motiongpt reproduce table=t2m protocol=motiongpt_release --output experiments/t2m/results

Without overrides a table is run with every method of it that can be had, in its paper's own
setting, for which the data set and the published evaluator must be at hand. An override of yours
replaces that of the same name; experiment= replaces the whole setting. Finished stages are reused.
"""


def main(arguments: Sequence[str], resumed: Sweep | None = None) -> int:
    """Run and print; 1 if a stage failed.

    Args:
        resumed: the recorded sweep that the command is to go on with.
    """
    options = _parser().parse_intermixed_args(arguments)
    table, wanted = _table_of(with_own_configs(options.overrides, options))
    sweep = read_study(table)
    output = None if options.output is None else str(options.output.resolve())
    experiments = plan_experiments(
        sweep.points(wanted),
        ["reproduce", *wherever_typed(arguments)],
        prepare=not options.dry_run,
        again=options.again,
        table={"name": table, "output": output},
    )
    print(_setting(sweep, wanted), flush=True)
    return carry_out(experiments, options.dry_run, options.wait, resumed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="motiongpt reproduce",
        description=f"{__doc__} Tables: {', '.join(find_studies())}.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("overrides", nargs="*", help="table=NAME, and Hydra overrides")
    add_plan_options(parser)
    add_config_dir(parser)
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="also write table.md, table.csv and each run's results.json there",
    )
    return parser


def _table_of(words: Sequence[str]) -> tuple[str, list[str]]:
    tables = [word.removeprefix("table=") for word in words if word.startswith("table=")]
    if len(tables) != 1:
        raise UserError(f"one table=NAME is needed; valid: {', '.join(find_studies())}")
    return tables[0], [word for word in words if not word.startswith("table=")]


def _setting(sweep: Study, wanted: Sequence[str]) -> str:
    return f"table {sweep.table}: {' '.join(sweep.overrides(wanted))}"
