"""Whether the right action is shown, and whether it is named."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from evaluation.case import Case, Scorers
from evaluation.metrics.action_words import names_actions
from evaluation.metrics.base import Kind
from evaluation.metrics.clip_metric import ClipMetric, Shares, SummedMetric
from evaluation.metrics.numbers import Judge, Number

PERCENT = 100.0


class ActionAccuracy(SummedMetric):
    """Share of motions in which a classifier of real clips sees the right actions.

    Clips without labels are left out; a motion without frames is wrong.
    """

    numbers: Mapping[str, Number] = {"action_accuracy": Number("%", "higher")}
    kinds: frozenset[Kind] = frozenset({"motion"})

    @property
    def judge(self) -> Judge:
        """The classifier."""
        return "classifier"

    def of_batch(self, cases: Sequence[Case], scorers: Scorers) -> Iterator[tuple[str, Shares]]:
        """Per cent of each clip; the classifier sees all motions together."""
        judged = [len(case.features) > 0 and len(case.labels) > 0 for case in cases]
        right = np.zeros(len(cases), bool)
        if scorers.classifier is not None and any(judged):
            shown = [case for case, wanted in zip(cases, judged, strict=True) if wanted]
            right[judged] = scorers.classifier.recognises(
                [case.features for case in shown], [case.labels for case in shown]
            )
        for case, found in zip(cases, right, strict=True):
            counts = scorers.classifier is not None and len(case.labels) > 0
            yield case.name, {"action_accuracy": (PERCENT * found, 1)} if counts else {}


class ActionWords(ClipMetric):
    """Share of sentences that name every action of the clip and no other.

    Clips without labels are left out.
    """

    numbers: Mapping[str, Number] = {"action_words": Number("%", "higher")}
    kinds: frozenset[Kind] = frozenset({"text"})

    def of_clip(self, case: Case, scorers: Scorers) -> Shares:
        """Per cent, of one clip."""
        if not case.labels:
            return {}
        right = names_actions(case.text, case.labels, scorers.action_words)
        return {"action_words": (PERCENT * right, 1)}
