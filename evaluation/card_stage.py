"""The stage that looks at the judges themselves: what do they see, and to what are they blind?"""

from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from omegaconf import DictConfig

from evaluation.cards.make import make_card, write_card
from evaluation.cards.measure import AcceptedCaption, Settings, judged_clips
from evaluation.classifier_stage import CLASSIFIER
from evaluation.evaluator_stage import EVALUATOR
from evaluation.evaluators.action_classifier import ActionClassifier
from evaluation.evaluators.loading import load_evaluator
from evaluation.perturbations.base import perturbations_by_name
from evaluation.replications.rules import Rules
from motiongpt.errors import UserError
from motiongpt.preflight import Outlook
from motiongpt.training.stage import Stage, StageContext


class CardStage(Stage):
    """Leaves `card.json`, `card.md`, `card.png` and `table.txt`.

    Uses whichever of the parents `evaluator` and `classifier` left a judge.

    Args:
        perturbations: names of those that make a row each, in this order.
        scoring: the section of a protocol; see `Rules`.
        split: whose clips are judged.
        clips: the first N of them; None for all.
        caption: of a clip that asks: "first", or "random" for each replication.
        replications: how often pools, and what perturbations draw, are drawn.
        seed: of the first replication.
    """

    evaluates: ClassVar[bool] = True

    def __init__(
        self,
        perturbations: Sequence[str],
        scoring: DictConfig,
        split: str,
        clips: int | None,
        caption: AcceptedCaption,
        replications: int,
        seed: int,
    ) -> None:
        self.perturbations = perturbations_by_name(perturbations)
        self.settings = Settings(Rules.of(scoring), replications, seed, caption)
        self.split, self.clips = split, clips

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """Enough clips for a pool."""
        if outlook.store is None:
            return ()
        found = len(judged_clips(outlook.store, self.split, self.clips))
        if found < 2:
            raise UserError(
                f"card: {found} clips of the {self.split} split have words and are long enough; "
                "at least 2 are needed"
            )
        pool = self.settings.rules.pool
        if found < pool:
            return [f"R-precision in pools of {pool} will be left out: {found} clips"]
        return ()

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Judge, write, draw."""
        evaluator = classifier = None
        if (context.parents[EVALUATOR] / EVALUATOR).exists():
            evaluator = load_evaluator(context.parents[EVALUATOR] / EVALUATOR, context.device)
        if (context.parents[CLASSIFIER] / CLASSIFIER).exists():
            classifier = ActionClassifier.load(
                context.parents[CLASSIFIER] / CLASSIFIER, context.device
            )
        if evaluator is None and classifier is None:
            raise UserError(
                "card: neither an evaluator nor a classifier could be had from this data; their "
                "logs say why: motiongpt logs evaluator"
            )
        card = make_card(
            context,
            evaluator,
            classifier,
            self.perturbations,
            self.settings,
            self.split,
            self.clips,
        )
        write_card(card, context.folder)
        return card.summary()
