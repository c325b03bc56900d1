"""Folders of runs and the boards that are made of them."""

from evaluation.leaderboard.board import build_board
from evaluation.leaderboard.published_file import find_tables
from evaluation.leaderboard.runs import (
    gather,
)
from launch.composition.studies import EXPERIMENTS
from tests.unit.results_files import number, write

BANDAI = {
    "data__name": "bandai_namco",
    "protocol__name": "ours",
    "evaluator__name": "own",
    "evaluator__words": "learned",
}
TASKS = [
    ("text_to_motion", "r_top1", 0.4, "higher"),
    ("text_to_motion", "fid", 0.3, "lower"),
    ("text_to_motion", "diversity", 9.0, "real"),
    ("motion_to_text", "cider", 0.3, "higher"),
    ("prediction", "fid", 0.5, "lower"),
]


def numbers(row="model", factor=1.0):
    return [
        number(task=task, metric=metric, value=value * factor, better=better, row=row)
        for task, metric, value, better in TASKS
    ]


def board(*folders, tables=()):
    runs, broken = gather(folders)
    return build_board(find_tables(EXPERIMENTS, tables), runs, {}, broken)


def mixed_runs(folder):
    """A comparable run, one on other data with a baseline, and the four points of a sweep."""
    write(folder / "runs/evaluate/a", *numbers(), *numbers("real", 1.1))
    chance = number(row='chance <of> another & "all"', value=90.0)
    group = {"experiment__group": "50%_of <b>"}
    write(folder / "runs/evaluate/b", *numbers(), chance, signature="b" * 16, **BANDAI, **group)
    for rate in (1, 2, 4, 8):
        mpjpe = number(task="reconstruction", metric="mpjpe", value=30.0 + rate, unit="mm")
        write(
            folder / f"runs/evaluate_codec/{rate}",
            mpjpe,
            signature=f"{rate:016x}",
            method__facts__frames_per_token=rate,
            **BANDAI,
        )
    return folder
