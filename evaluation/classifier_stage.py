"""The stage that trains the judge of actions, on real clips of the training split only."""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from evaluation.cards.make import card_of_trained
from evaluation.evaluators.action_training import Training, train_classifier
from evaluation.perturbations.base import perturbations_by_name
from motiongpt.data.store import MotionStore
from motiongpt.preflight import Outlook
from motiongpt.training.stage import Stage, StageContext

CLASSIFIER = "classifier"


class ClassifierStage(Stage):
    """Leaves an `ActionClassifier` with its card in `classifier/`; nothing where clips carry no two
    labels.

    Args:
        steps, batch_size, seed: how it is trained.
        negatives: names of changes after which a real clip shows no action.
        real_per_negative: real clips for each changed one of a kind.
    """

    evaluates: ClassVar[bool] = True

    def __init__(
        self,
        steps: int,
        batch_size: int,
        negatives: Sequence[str],
        real_per_negative: int,
        seed: int,
    ) -> None:
        self.training = Training(
            steps, batch_size, perturbations_by_name(negatives), real_per_negative, seed
        )

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """Labels to tell apart."""
        lacking = "" if outlook.store is None else _too_few_labels(outlook.store)
        return [lacking] if lacking else []

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Train, save, and report the accuracy on real clips that it has not seen, as they are and
        changed."""
        store = context.store
        if lacking := _too_few_labels(store):
            context.log(f"  classifier: {lacking}")
            return {}
        classifier = train_classifier(store, self.training, context.log)
        classifier.save(context.folder / CLASSIFIER)
        metrics = {}
        for split in ("val", "test"):
            clips = [int(index) for index in store.indices(split)]
            if clips:
                right = classifier.recognises(
                    [store.features(i) for i in clips], [store.labels(i) for i in clips]
                )
                metrics[f"{split}/accuracy_percent"] = 100.0 * float(right.mean())
        own = context.folder / CLASSIFIER
        card = card_of_trained(context, own, self.training.seed, classifier=classifier)
        return {**metrics, **card}


def _too_few_labels(store: MotionStore) -> str:
    """Why there is nothing to tell apart; empty where there is."""
    labels = {one for index in store.indices("train") for one in store.labels(int(index))}
    if len(labels) > 1:
        return ""
    found = f"one label only, {labels.pop()}" if labels else "no labels"
    return f"the training clips carry {found}: no classifier will judge actions"
