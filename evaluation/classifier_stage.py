"""The stage that trains the judge of actions, on real clips of the training split only."""

from collections.abc import Mapping

from evaluation.evaluators.action_classifier import ActionClassifier
from motiongpt.training.stage import Stage, StageContext

CLASSIFIER = "classifier"


class ClassifierStage(Stage):
    """Leaves an `ActionClassifier` in `classifier/`; nothing where clips carry no two labels.

    Args:
        steps, batch_size, seed: how it is trained.
    """

    def __init__(self, steps: int, batch_size: int, seed: int) -> None:
        self.steps, self.batch_size, self.seed = steps, batch_size, seed

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Train, save, and report the accuracy on real clips that it has not seen."""
        store = context.store
        labels = {one for index in store.indices("train") for one in store.labels(int(index))}
        if len(labels) < 2:
            found = f"one label only, {labels.pop()}" if labels else "no labels"
            context.log(f"  classifier: the clips carry {found}, so there is nothing to tell apart")
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
