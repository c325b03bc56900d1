"""Make the card of an evaluator and of the judge of actions: what they are blind to, in numbers."""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

from launch.commands import run as run_command
from launch.jobs.execute import execute
from launch.plan_options import add_config_dir, with_own_configs
from launch.plans.finished_evaluator import plan_of_evaluator
from launch.plans.graph import Planned, needed
from launch.plans.planning import plan_sweep
from launch.sweeps.preflight import preflight_lines
from launch.tables import result_text, stage_lines
from motiongpt.errors import UserError

EXAMPLES = """examples:
  motiongpt evaluators card experiment=quickstart
  motiongpt evaluators card experiment=bandai_small data.source.path=bandai_all.tar.xz \\
      --output experiments/evaluator_cards/results/bandai_small
  motiongpt evaluators card -m seed=1,2,3 experiment=quickstart
  motiongpt evaluators card outputs/runs/evaluator/1a2b3c4d5e6f7a8b
  motiongpt evaluators card data=humanml3d data.source.path=HumanML3D \\
      evaluator=t2m_published evaluator.weights=t2m evaluator.word_vectors=glove

Real test motion is judged as it is and after changes whose effect is known: frames in a random
order, backward, mirrored, frozen, and so on. The evaluator and the judge of actions are trained
where they are absent; the stage is called `card`, and finished ones are reused.
"""
FILES = ("card.json", "card.md", "card.png")
GOAL = "goal=card"


def main(arguments: Sequence[str]) -> int:
    """Run; 1 if a stage failed."""
    options = _parser().parse_intermixed_args(arguments)
    runs = [word for word in options.words if "=" not in word]
    overrides = with_own_configs([word for word in options.words if "=" in word], options)
    if any(word.startswith("goal=") for word in overrides):
        raise UserError("evaluators card: its goal is the card; leave goal= away")
    if len(runs) > 1 or (runs and (overrides or options.multirun)):
        raise UserError("evaluators card: one finished run alone, or overrides")
    if runs:
        return _of_run(runs[0], options)
    return _of_experiment(overrides, options)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="motiongpt evaluators",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=["card"])
    parser.add_argument(
        "words", nargs="*", help="Hydra overrides as of motiongpt run, or a finished evaluator run"
    )
    parser.add_argument("-m", "--multirun", action="store_true", help="several values: a sweep")
    parser.add_argument("--dry-run", action="store_true", help="print the plan and stop")
    add_config_dir(parser)
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help=f"also write {', '.join(FILES)} there"
    )
    return parser


def _of_experiment(overrides: Sequence[str], options: argparse.Namespace) -> int:
    flags = {"-m": options.multirun, "--dry-run": options.dry_run}
    status = run_command.main([*overrides, GOAL, *(flag for flag, on in flags.items() if on)])
    if status or options.dry_run or options.output is None:
        return status
    points = run_command.sweep_points([*overrides, GOAL], options.multirun)
    cards = [plan[-1] for plan in plan_sweep(points)]
    for card in cards:
        _copy(card, options.output / card.run.signature if len(cards) > 1 else options.output)
    return 0


def _of_run(word: str, options: argparse.Namespace) -> int:
    plan = needed(plan_of_evaluator(word))
    for line in [*stage_lines(plan), *preflight_lines(plan, plan[0].run.root)]:
        print(line, flush=True)
    if options.dry_run:
        return 0
    if execute(plan):
        return 1
    print(result_text(plan[-1].run))
    if options.output is not None:
        _copy(plan[-1], options.output)
    return 0


def _copy(card: Planned, output: Path) -> None:
    """Copy what a finished card stage left."""
    if not card.run.is_finished:  # handed to a scheduler
        print(f"card {card.run.signature}: not finished yet; the same command copies it later")
        return
    output.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(card.run.folder / name, output / name)
