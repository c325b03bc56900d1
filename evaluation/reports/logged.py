"""What an evaluation tells experiment loggers: its numbers with their intervals, and sentences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from evaluation.case import Case
from evaluation.replications.results import MODEL, Result
from motiongpt.training.shown import Cell, show_table

if TYPE_CHECKING:
    from lightning.pytorch.loggers import Logger

CAPTIONS = ("clip", "people wrote", "generated", "rouge_l")
MOST_SENTENCES = 200


def log_results(loggers: Iterable[Logger], results: Sequence[Result]) -> None:
    """The method's own numbers under flat names, `text_to_motion/fid`, and with `_interval` after
    the name half the width of the 95 % interval, where there is one."""
    told: dict[str, float] = {}
    for one in results:
        if one.row == MODEL:
            name = f"{one.task}/{one.metric}"
            told[name] = one.value
            if one.interval is not None:
                told[f"{name}_interval"] = one.interval
    for logger in loggers:
        logger.log_metrics(told)


def log_captions(
    loggers: Iterable[Logger], shown: Mapping[str, Mapping[str, Sequence[Case]]]
) -> None:
    """A table of what people wrote and what the method generated, for each task with sentences.

    ROUGE-L is of the sentences as they are, against each clip's own captions; the scores of the
    evaluation are those of its protocol.

    Args:
        shown: task -> row -> cases.
    """
    for task, by_row in shown.items():
        cases = [one for one in by_row[MODEL] if one.text and one.captions][:MOST_SENTENCES]
        show_table(loggers, f"{task}/sentences", CAPTIONS, [_row(one) for one in cases])


def _row(case: Case) -> list[Cell]:
    from pycocoevalcap.rouge.rouge import Rouge  # of 100 MB, which a run without sentences can lack

    score = Rouge().calc_score([case.text], list(case.captions))
    return [case.name, "\n".join(case.captions), case.text, round(float(score), 3)]
