"""From judges and a store to a card; each judge gets one of its own when it has been trained."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from evaluation.cards import CARD
from evaluation.cards.card import Card
from evaluation.cards.measure import Judges, Settings, judged_clips, measure
from evaluation.evaluators.action_classifier import ActionClassifier
from evaluation.evaluators.base import Evaluator
from evaluation.perturbations.base import Perturbation, known_perturbations
from evaluation.replications.embedder import Embedder
from evaluation.replications.judging import attempted
from evaluation.replications.rules import Rules
from motiongpt.training.stage import StageContext

TRAINED_ON = 512  # clips of the validation split at most, and
REPLICATIONS = 3  # draws of a judge's own card: a look in seconds; the stage `card` has them all


def make_card(
    context: StageContext,
    evaluator: Evaluator | None,
    classifier: ActionClassifier | None,
    perturbations: Sequence[Perturbation],
    settings: Settings,
    split: str,
    clips: int | None,
) -> Card:
    """Judge the first `clips` clips of a split, or all.

    Raises:
        UserError: a perturbation changes none of them.
    """
    store = context.store
    embedder = None if evaluator is None else Embedder(evaluator, settings.rules, store.mean)
    indices = judged_clips(store, split, clips)
    judges = Judges(embedder, classifier)
    measured = measure(store, indices, judges, perturbations, settings, context.log)
    about: dict[str, Any] = {
        "stage": context.stage,
        "signature": context.signature,
        "data": {"name": store.name, "fingerprint": store.fingerprint, "split": split},
        "evaluator": _described(evaluator),
        "classifier": None if classifier is None else {"labels": list(classifier.labels)},
        "settings": {**asdict(settings.rules), **_plain(settings)},
        "git": dict(context.source),
        **context.lineage(),
    }
    return Card(measured, perturbations, about)


def write_card(card: Card, folder: Path) -> None:
    """Write all files of a card into `folder`."""
    from evaluation.cards.picture import draw_card  # loads matplotlib

    card.write(folder)
    draw_card(card, folder / f"{CARD}.png")


def card_of_trained(
    context: StageContext,
    folder: Path,
    seed: int,
    evaluator: Evaluator | None = None,
    classifier: ActionClassifier | None = None,
) -> Mapping[str, float]:
    """Write the card of a judge that has just been trained beside its weights in `folder`.

    On the validation split, with every perturbation; nothing where it has fewer than two clips
    with words.

    Returns:
        "val/ROW/METRIC" -> value.
    """
    if len(judged_clips(context.store, "val", TRAINED_ON)) < 2:
        context.log("  card: none, fewer than two validation clips with words")
        return {}
    every, settings = known_perturbations().values(), Settings(Rules(), REPLICATIONS, seed)
    make = partial(
        make_card, context, evaluator, classifier, list(every), settings, "val", TRAINED_ON
    )
    card, why = attempted(make)
    if card is None:  # odd clips cost the card, not the training
        context.log(f"  card: none: {why}")
        return {}
    write_card(card, folder)
    return {f"val/{name}": value for name, value in card.summary().items()}


def _described(evaluator: Evaluator | None) -> dict[str, Any] | None:
    if evaluator is None:
        return None
    return {**evaluator.description, "fingerprint": evaluator.fingerprint}


def _plain(settings: Settings) -> dict[str, Any]:
    return {key: value for key, value in vars(settings).items() if key != "rules"}
