"""Score saved predictions, ours or another system's, without the model that made them."""

import argparse
from collections.abc import Sequence
from pathlib import Path

from omegaconf import OmegaConf

from evaluation.requests.predictions import PREDICTIONS, prediction_sets
from launch.jobs.execute import execute
from launch.jobs.run_stage import build_stage
from launch.plans.graph import Planned
from launch.plans.planning import plan_point
from launch.runs.ledger import Run
from launch.runs.sources import git_state
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.training.stage import StageContext

EXAMPLES = """examples:
  motiongpt score predictions outputs/runs/generate/f39bbf375b6ec0fa experiment=quickstart
  motiongpt score predictions my_system --method my_system --output my_scores \\
      data=bandai_namco data.source.path=bandai_all.tar.xz protocol=guo2022
"""
JUDGES = ("evaluator", "classifier")


def main(arguments: Sequence[str]) -> int:
    """Run; 1 if a judge could not be made."""
    parser = argparse.ArgumentParser(
        prog="motiongpt score predictions",
        description=f"{__doc__} How they are written: see evaluation/requests/predictions.py.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folder", type=Path, help=f"holds {PREDICTIONS}/, as a run folder of the generate stage"
    )
    parser.add_argument("overrides", nargs="*", help="Hydra overrides: data, protocol, evaluator")
    parser.add_argument(
        "--output", type=Path, help="folder for results.json and tables (default: FOLDER/scores)"
    )
    parser.add_argument(
        "--method", metavar="NAME", help="what made them, in tables (default: the chosen method)"
    )
    options = parser.parse_intermixed_args(arguments)
    if not (options.folder / PREDICTIONS).is_dir():
        raise UserError(
            f"{options.folder}: no folder {PREDICTIONS} in it; name a run folder of the generate "
            "stage, or one laid out like it"
        )
    prediction_sets(options.folder / PREDICTIONS)
    goal = f"goal=[{','.join(JUDGES)}]"
    plan = plan_point([*options.overrides, goal])
    if execute(plan):
        return 1
    output = options.output or options.folder / "scores"
    _score(plan, options.folder, output, options.method)
    print((output / "table.txt").read_text().rstrip())
    return 0


def _score(plan: Sequence[Planned], folder: Path, output: Path, method: str | None) -> None:
    judges = {stage.run.stage: Path(stage.run.folder) for stage in plan}
    any_stage = plan[0]
    settings = any_stage.config.stage.evaluate
    if method is not None:
        settings = OmegaConf.create({**settings, "method": method, "facts": {}})
    root = Path(any_stage.config.paths.root)
    evaluate = Planned(
        Run(root, "evaluate", output.name), settings, {}, any_stage.data, "", any_stage.config
    )
    context = StageContext(
        stage="evaluate",
        signature=output.name,
        folder=output,
        parents={"predictions": folder, **judges},
        store=MotionStore.open(any_stage.data),
        cache=root / "cache",
        source=git_state(),
        log=lambda line: print(line, flush=True),
    )
    build_stage(evaluate).run(context)
