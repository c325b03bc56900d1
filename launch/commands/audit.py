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
from launch.jobs.execute import execute
from launch.plans.graph import needed, union
from launch.plans.planning import plan_sweep
from launch.sweeps.preflight import preflight_lines
from launch.tables import stage_lines
from motiongpt.files import write_text

EXAMPLES = """examples:
  motiongpt audit experiment=quickstart
  motiongpt audit experiment=bandai_small data.source.path=bandai_all.tar.xz \\
      --against motiongpt_release --output experiments/protocol_audit/results
"""
OTHERS = ("guo2022", "motiongpt_release")


def main(arguments: Sequence[str]) -> int:
    """Run; 1 if a stage failed."""
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
    parser.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    options = parser.parse_intermixed_args(arguments)
    tried = protocol_variants(options.overrides, options.base, options.against)
    points = [[*options.overrides, *one.overrides, "stage.evaluate.pictures=0"] for one in tried]
    plans = plan_sweep(points, prepare=not options.dry_run)
    plan = needed(union(plans))
    for line in [*stage_lines(plan), *preflight_lines(plan, plan[0].run.root)]:
        print(line, flush=True)
    if options.dry_run:
        return 0
    failed = execute(plan)
    scored = {
        one: read_results(stages[-1].run.folder / "results.json")
        for one, stages in zip(tried, plans, strict=True)
        if stages[-1].run.signature not in failed
    }
    if scored:
        markdown, csv = audit_tables(scored)
        print(markdown)
        if options.output:
            write_text(options.output / "table.md", markdown + "\n")
            write_text(options.output / "table.csv", csv)
    return 1 if failed else 0


def protocol_variants(overrides: Sequence[str], base: str, others: Sequence[str]) -> list[Variant]:
    """The base protocol, each setting that another has otherwise, each other protocol whole."""
    protocols = {
        name: compose_config([*overrides, f"protocol={name}"]).protocol for name in (base, *others)
    }
    return variants(base, protocols)
