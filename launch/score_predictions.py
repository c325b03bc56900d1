"""Score saved predictions, ours or another system's, without the model that made them."""

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from evaluation.external.choice import known_forms
from evaluation.external.forms.base import Options, flag
from evaluation.leaderboard.against import Comparison
from evaluation.leaderboard.verdict import Verdict
from evaluation.reports.results_file import RESULTS, read_results
from evaluation.requests.predictions import ABOUT, PREDICTIONS, prediction_sets
from launch.external_predictions import TASKS, brought, requests_in
from launch.jobs.execute import execute
from launch.plan_options import add_config_dir, with_own_configs
from launch.plans.planning import plan_point
from launch.scoring import Opponent, opponent, row_of, score, verdicts
from motiongpt.errors import UserError
from motiongpt.motion.axes import UP_AXES

EXAMPLES = """examples:
  motiongpt score predictions outputs/runs/generate/f39bbf375b6ec0fa experiment=quickstart
  motiongpt score predictions my_system data=humanml3d data.source.path=HumanML3D protocol=guo2022
  motiongpt score predictions my_system --form joints --fps 30 --against last/results.json \\
      --fail-if-worse --json data=bandai_namco data.source.path=bandai_all.tar.xz > verdict.json
  motiongpt score predictions my_system --requests protocol=guo2022
"""
FORMS = """Another system's motions are files called as the clips of the data, `012345.npy`, or, of
several, `012345_0.npy` or `0/012345.npy`; captions.json says which caption asked. Forms:
"""
JUDGES = ("evaluator", "classifier")
WORSE = 3  # exit status, with --fail-if-worse


def main(arguments: Sequence[str]) -> int:
    """Run; 1 if a judge could not be made, 3 if --fail-if-worse is given and a number is worse."""
    options = _parser().parse_intermixed_args(arguments)
    options.overrides = with_own_configs(options.overrides, options)
    for name in ("fail_if_worse", "row"):
        if getattr(options, name) and not options.against:
            raise UserError(f"{flag(name)} needs --against")
    with _standard_output_for(options.json) as answer:
        found, status = _run(options)
        if options.json and found:
            print(json.dumps(found, ensure_ascii=False, allow_nan=False), file=answer)
    return status


def _run(options: argparse.Namespace) -> tuple[dict[str, Any], int]:
    """What `--json` prints, and the exit status."""
    _check_folder(options.folder, options.requests)
    ours = any((options.folder / PREDICTIONS).glob(f"*/{ABOUT}"))
    reading = _reading_options(options)
    if ours:
        prediction_sets(options.folder / PREDICTIONS)
        _refuse_reading(options, reading)
    beside = opponent(options.against, options.row) if options.against else None
    plan = plan_point([*options.overrides, f"goal=[{','.join(JUDGES)}]"])
    if options.requests:
        return requests_in(options.folder, plan[0], options.task), 0
    output = options.output or options.folder / "scores"
    with contextlib.ExitStack() as stack:
        found = None
        if not ours:
            found = stack.enter_context(brought(options, reading, plan[0], output))
            for name, words in found.said.items():
                print(f"{name}: {words}")
        if execute(plan):
            return {}, 1
        method = options.method or (None if ours else options.folder.resolve().name)
        score(plan, JUDGES, options.folder, found, output, method)
    return _said(options, {} if found is None else found.said, output, beside)


def _check_folder(folder: Path, made: bool) -> None:
    """Refuse a mistyped folder before anything is made.

    Args:
        made: whether it is written into, and made where only its last part is absent.

    Raises:
        UserError: no folder, or nowhere to make it.
    """
    if made and folder.exists() and not folder.is_dir():
        raise UserError(f"{folder}: a file; name a folder to write the requests into")
    if made and not folder.absolute().parent.is_dir():
        raise UserError(f"{folder.parent}: no such folder; make it, or name another FOLDER")
    if not made and not folder.is_dir():
        raise UserError(f"{folder}: no such folder; name the one that holds the predictions")


def _said(
    options: argparse.Namespace,
    understood: Mapping[str, str],
    output: Path,
    beside: Opponent | None,
) -> tuple[dict[str, Any], int]:
    print((output / "table.txt").read_text(encoding="utf-8").rstrip())
    run = read_results(output / RESULTS)
    against: list[Comparison] = []
    if beside is not None:
        against = verdicts(run, beside, options.row)
        for line in (line for one in against for line in one.lines()):
            print(line)
    found = {
        "results": str(output / RESULTS),
        "understood": dict(understood),
        "row": row_of(run),
        "verdicts": [
            {"against": one.against, "task": task, "metric": metric, **_verdict(verdict)}
            for one in against
            for (task, metric), verdict in one.verdicts.items()
        ],
    }
    is_worse = options.fail_if_worse and any(one.is_worse for one in against)
    return found, WORSE if is_worse else 0


def _verdict(verdict: Verdict) -> dict[str, Any]:
    return {"outcome": verdict.outcome, "detail": verdict.detail}


@contextlib.contextmanager
def _standard_output_for(machine: bool) -> Iterator[Any]:
    """What is printed for people goes to the other stream where a program reads this one."""
    if not machine:
        yield sys.stdout
        return
    answer = sys.stdout
    with contextlib.redirect_stdout(sys.stderr):
        yield answer


def _reading_options(options: argparse.Namespace) -> Options:
    return Options(
        fps=options.fps,
        metres_per_unit=options.metres_per_unit,
        up_axis=options.up_axis,
        normalised=None if options.normalised is None else options.normalised == "yes",
        statistics=options.statistics,
        mapping=options.mapping,
        body_models=options.body_models,
    )


def _refuse_reading(options: argparse.Namespace, reading: Options) -> None:
    """Options about another system's files mean nothing where the predictions are our own.

    Raises:
        UserError: names the first that was given.
    """
    given = [*reading.given(), *(name for name in ("form", "partial") if getattr(options, name))]
    if given:
        raise UserError(
            f"{flag(given[0])}: {options.folder} holds predictions of this project "
            f"({PREDICTIONS}/), which say everything themselves; leave it out"
        )


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, known_forms()))
    forms = "\n".join(f"  {name:<{width}}  {one.expects}" for name, one in known_forms().items())
    parser = argparse.ArgumentParser(
        prog="motiongpt score predictions",
        description=f"{__doc__} Predictions of this project are read as they were saved.",
        epilog=f"{FORMS}{forms}\n\n{EXAMPLES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "folder", type=Path,
        help=f"a run of the generate stage (it holds {PREDICTIONS}/), or another system's motions",
    )  # fmt: skip
    parser.add_argument("overrides", nargs="*", help="Hydra overrides: data, protocol, evaluator")
    add_config_dir(parser)
    parser.add_argument(
        "--output", type=Path, help="folder for results.json and tables (default: FOLDER/scores)"
    )
    parser.add_argument(
        "--method", metavar="NAME",
        help="what made them, in tables (default: the folder's name, or the chosen method)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one line of JSON on standard output")
    _add_verdict(parser.add_argument_group("a verdict"))
    _add_reading(parser.add_argument_group("another system's motions"))
    return parser


def _add_verdict(group: Any) -> None:
    group.add_argument(
        "--against", metavar="FILE",
        help="another results.json, a published.yaml, or the name of a study of experiments/",
    )  # fmt: skip
    group.add_argument("--row", metavar="METHOD", help="only this method of a published table")
    group.add_argument(
        "--fail-if-worse", action="store_true", help=f"exit with {WORSE} where a number is worse"
    )


def _add_reading(group: Any) -> None:
    group.add_argument("--form", metavar="NAME", help="of the files; found out if not given")
    group.add_argument("--task", choices=TASKS, default=TASKS[0], help="default: %(default)s")
    group.add_argument("--fps", type=_above_zero, help="frames per second of the files")
    group.add_argument("--metres-per-unit", type=_above_zero, help="0.01 for centimetres")
    group.add_argument("--up-axis", choices=UP_AXES)
    group.add_argument("--normalised", choices=("yes", "no"), help="whether features are")
    group.add_argument(
        "--statistics", type=Path, metavar="FOLDER", help="with Mean.npy and Std.npy"
    )
    group.add_argument("--mapping", metavar="NAME|FILE", help="joint mapping of BVH files")
    group.add_argument("--body-models", type=Path, metavar="FOLDER", help="of SMPL-X or SMPL-H")
    group.add_argument("--partial", action="store_true", help="score the clips that are there")
    group.add_argument(
        "--requests", action="store_true",
        help="write what the protocol asks into FOLDER/requests.jsonl (clip, caption, frames) and "
        "end; FOLDER is made where its parent is there",
    )  # fmt: skip


def _above_zero(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text}: expected a number above zero")
    return value
