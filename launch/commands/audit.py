"""Score the same predictions under several protocols and show what each deviation moves.

The base protocol is scored first, then with every setting changed, one at a time, that another
protocol has otherwise, and last each other protocol whole. What decides how the model is asked
makes predictions of its own; what decides how they are scored uses the same ones.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

from evaluation.reports.protocol_audit import Variant, audit_tables, variants
from evaluation.reports.results_file import read_results
from launch.composition.compose import compose_config
from launch.plan_options import (
    add_config_dir,
    add_plan_options,
    wherever_typed,
    with_own_configs,
)
from launch.sweeps.carry_out import carry_out
from launch.sweeps.experiments import plan_experiments
from launch.sweeps.record import Sweep
from motiongpt.files import write_text

EXAMPLES = """examples:
  motiongpt audit experiment=quickstart
  motiongpt audit experiment=bandai_small data.source.path=bandai_all.tar.xz \\
      --against motiongpt_release --output experiments/protocol_audit/results
"""
OTHERS = ("guo2022", "motiongpt_release")


def main(arguments: Sequence[str], resumed: Sweep | None = None) -> int:
    """Run; 1 if a stage failed.

    Args:
        resumed: the recorded sweep that the command is to go on with.
    """
    parser = argparse.ArgumentParser(
        prog="motiongpt audit",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("overrides", nargs="*", help="Hydra overrides, as of motiongpt run")
    parser.add_argument("--base", default="ours", help="protocol that is changed (default: ours)")
    parser.add_argument(
        "--against", nargs="+", default=list(OTHERS), help="protocols whose settings are tried"
    )
    parser.add_argument("--output", type=Path, help="folder for table.md and table.csv")
    add_plan_options(parser)
    add_config_dir(parser)
    options = parser.parse_intermixed_args(arguments)
    overrides = with_own_configs(options.overrides, options)
    tried = protocol_variants(overrides, options.base, options.against)
    points = [[*overrides, *one.overrides, "stage.evaluate.pictures=0"] for one in tried]
    experiments = plan_experiments(
        points,
        ["audit", *wherever_typed(arguments)],
        prepare=not options.dry_run,
        again=options.again,
    )
    status = carry_out(experiments, options.dry_run, options.wait, resumed)
    scored = {
        one: read_results(plan[-1].run.folder / "results.json")
        for one, plan in zip(tried, experiments.plans, strict=True)
        if not options.dry_run and plan[-1].run.is_finished
    }
    if scored:
        markdown, csv = audit_tables(scored)
        print(markdown)
        if options.output:
            write_text(options.output / "table.md", markdown + "\n")
            write_text(options.output / "table.csv", csv)
    return status


def protocol_variants(overrides: Sequence[str], base: str, others: Sequence[str]) -> list[Variant]:
    """The base protocol, each setting that another has otherwise, each other protocol whole."""
    protocols = {
        name: compose_config([*overrides, f"protocol={name}"]).protocol for name in (base, *others)
    }
    return variants(base, protocols)
