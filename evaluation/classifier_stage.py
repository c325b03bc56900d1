"""The stage that trains the judge of actions, on real clips of the training split only."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

from evaluation.evaluators.action_classifier import ActionClassifier
from motiongpt.data.store import MotionStore
from motiongpt.preflight import Outlook
from motiongpt.training.stage import Stage, StageContext

CLASSIFIER = "classifier"


class ClassifierStage(Stage):
    """Leaves an `ActionClassifier` in `classifier/`; nothing where clips carry no two labels.

    Args:
        steps, batch_size, seed: how it is trained.
    """

    judges: ClassVar[bool] = True

    def __init__(self, steps: int, batch_size: int, seed: int) -> None:
        self.steps, self.batch_size, self.seed = steps, batch_size, seed

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """Labels to tell apart."""
        lacking = "" if outlook.store is None else _too_few_labels(outlook.store)
        return [lacking] if lacking else []

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Train, save, and report the accuracy on real clips that it has not seen."""
        store = context.store
        if lacking := _too_few_labels(store):
            context.log(f"  classifier: {lacking}")
            return {}
        classifier = ActionClassifier.train(
            store, steps=self.steps, batch_size=self.batch_size, seed=self.seed, log=context.log
        )
        classifier.save(context.folder / CLASSIFIER)
        metrics = {}
        for split in ("val", "test"):
            clips = [int(index) for index in store.indices(split)]
            if clips:
                right = classifier.recognises(
                    [store.features(i) for i in clips], [store.labels(i) for i in clips]
                )
                metrics[f"{split}/accuracy_percent"] = 100.0 * float(right.mean())
        return metrics


def _too_few_labels(store: MotionStore) -> str:
    """Why there is nothing to tell apart; empty where there is."""
    labels = {one for index in store.indices("train") for one in store.labels(int(index))}
    if len(labels) > 1:
        return ""
    found = f"one label only, {labels.pop()}" if labels else "no labels"
    return f"the training clips carry {found}: no classifier will judge actions"
