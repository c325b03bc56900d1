"""Whether the right action is shown, and whether it is named."""

from collections.abc import Sequence

import numpy as np

from evaluation.case import Case, Scorers
from evaluation.metrics.action_words import names_actions


class ActionAccuracy:
    """Share of motions in which a classifier of real clips sees the right actions."""

    unit, lower_is_better = "%", False

    def __call__(self, cases: Sequence[Case], scorers: Scorers) -> float:
        """Per cent of the cases with labels; a motion without frames is wrong."""
        judged = [case for case in cases if case.labels]
        if scorers.classifier is None or not judged:
            return float("nan")
        shown = [case for case in judged if len(case.features)]
        right = scorers.classifier.recognises(
            [case.features for case in shown], [case.labels for case in shown]
        )
        return 100.0 * float(np.sum(right)) / len(judged)


class ActionWords:
    """Share of sentences that name every action of the clip and no other."""

    unit, lower_is_better = "%", False

    def __call__(self, cases: Sequence[Case], scorers: Scorers) -> float:
        """Per cent of the cases with labels."""
        judged = [case for case in cases if case.labels]
        if not judged:
            return float("nan")
        right = [names_actions(case.text, case.labels, scorers.action_words) for case in judged]
        return 100.0 * float(np.mean(right))
