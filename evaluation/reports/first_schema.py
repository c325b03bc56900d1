"""Results files of schema 1, from before there were several methods, as files of today.

There the settings of MotionGPT stood in `experiment`, a number's row was called `method`, and
nothing said whether an evaluator or captions judged it.
"""

from collections.abc import Mapping
from typing import Any

from evaluation.metrics.numbers import Judge

FIRST = 1
METHOD = "motiongpt"  # the only one there was
OF_EXPERIMENT = ("group", "data")  # what is no setting of the method
JUDGES: dict[Judge, frozenset[str]] = {
    "evaluator": frozenset(
        {"r_top1", "r_top2", "r_top3", "mm_dist", "fid", "diversity", "multimodality"}
    ),
    "captions": frozenset({"bleu1", "bleu4", "rougeL", "cider", "bert_raw", "bert_rescaled"}),
    "classifier": frozenset({"action_accuracy"}),
}
"""Every number of schema 1 that something judged; today `Metric.judge` says it."""


def upgraded(found: Any, schema: int) -> Any:
    """Content of a file of schema 1 as of `schema`; any other content is returned as it is.

    What is broken stays broken, for the check of the schema to name.
    """
    if not isinstance(found, Mapping) or found.get("schema") != FIRST:
        return found
    upgrade = {**found, "schema": schema, "method": {"name": METHOD, "facts": {}}}
    experiment = found.get("experiment")
    if isinstance(experiment, Mapping):
        facts = {key: value for key, value in experiment.items() if key not in OF_EXPERIMENT}
        upgrade["method"] = {"name": METHOD, "facts": facts}
        upgrade["experiment"] = {key: experiment.get(key) for key in OF_EXPERIMENT}
    results = found.get("results")
    if isinstance(results, list):
        upgrade["results"] = [_number(row) for row in results]
    return upgrade


def _number(row: Any) -> Any:
    if not isinstance(row, Mapping):
        return row
    renamed = {"row" if key == "method" else key: value for key, value in row.items()}
    return {**renamed, "judge": _judge(row.get("metric"))}


def _judge(metric: Any) -> Judge:
    name = str(metric)
    return next((judge for judge, names in JUDGES.items() if name in names), "none")
