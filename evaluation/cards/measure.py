"""What judges make of real motion, and of the same motion changed: rows of numbers.

Shapes: N clips, T frames, F features, D width of an embedding.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from torch import Tensor

from evaluation.evaluators.action_classifier import ActionClassifier
from evaluation.metrics.base import Batch
from evaluation.metrics.fid import FrechetDistance
from evaluation.metrics.numbers import Judge, Number, Size
from evaluation.metrics.retrieval import Retrieval
from evaluation.perturbations.base import (
    Perturbation,
    RealClip,
    made_again,
    perturbed,
    real_clips,
    share_changed,
)
from evaluation.replications.another_sample import ANOTHER_SAMPLE, AnotherSample
from evaluation.replications.embedder import SHORTEST, Embedder
from evaluation.replications.results import REAL, Result
from evaluation.replications.rules import Rules
from motiongpt.data.clip import Caption
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError

TASK = "real_motion"
AGAIN = "features made again"
ACCURACY = "action_accuracy"
AcceptedCaption = Literal["first", "random"]


@dataclass(frozen=True)
class Settings:
    """How a card is measured.

    Attributes:
        rules: of the protocol; pool, distances, packing and words of captions count here.
        replications: how often pools, and what perturbations draw, are drawn.
        seed: of the first replication.
        caption: of a clip that asks: its "first", or a "random" one for each replication.
    """

    rules: Rules
    replications: int
    seed: int
    caption: AcceptedCaption = "first"

    def __post_init__(self) -> None:
        if self.replications < 1:
            raise UserError(f"stage.card.replications={self.replications}: at least 1")
        if self.caption not in get_args(AcceptedCaption):
            raise UserError(f"stage.card.caption={self.caption}: first or random")


@dataclass(frozen=True)
class Judges:
    """Whose card it is; either may be absent."""

    embedder: Embedder | None
    classifier: ActionClassifier | None


@dataclass(frozen=True)
class Measured:
    """Numbers of a card.

    Attributes:
        results: of all rows, each a `Result` whose row is a title.
        changed: title of a perturbation -> share of the clips that it changed.
        clips: how many were judged.
    """

    results: list[Result]
    changed: dict[str, float]
    clips: int


def judged_clips(store: MotionStore, split: str, most: int | None = None) -> list[int]:
    """Indices of the clips that a card is about: with words, and long enough to embed."""
    indices = [int(index) for index in store.indices(split)][:most]
    return [i for i in indices if store.lengths[i] >= SHORTEST and store.captions(i)]


def measure(
    store: MotionStore,
    indices: Sequence[int],
    judges: Judges,
    perturbations: Sequence[Perturbation],
    settings: Settings,
    log: Callable[[str], None],
) -> Measured:
    """Judge the clips at `indices` as they are, made again, and after each perturbation.

    Raises:
        UserError: a perturbation changes none of the clips.
    """
    card = _Card(store, indices, judges, settings)
    card.add(REAL, lambda replication: card.real)
    again = made_again(card.clips)
    card.add(AGAIN, lambda replication: again)
    changed = {}
    for number, one in enumerate(perturbations, start=1):
        found = perturbed(card.clips, one, settings.seed)
        before = card.real if one.gives == "features" else again
        changed[one.title] = share_changed(before, found, store.std)
        if not changed[one.title]:
            raise UserError(
                f"perturbation {one.name} changed none of {len(indices)} clips: mend it, or leave "
                "it out of stage.card.perturbations"
            )
        card.add_drawn(one, found)
        log(f"  card: {one.title}, {number}/{len(perturbations)}")
    card.add_another_sample()
    return Measured(card.results, changed, len(indices))


class _Card:
    """Collects the results of rows about the same clips."""

    def __init__(
        self, store: MotionStore, indices: Sequence[int], judges: Judges, settings: Settings
    ) -> None:
        self.store, self.indices, self.judges, self.settings = store, indices, judges, settings
        self.clips: list[RealClip] = real_clips(store, indices, settings.seed)
        self.real = [clip.features for clip in self.clips]
        self.labels = [store.labels(int(index)) for index in indices]
        self.results: list[Result] = []
        self._captions = [self._caption_embeddings(r) for r in range(settings.replications)]

    def add(self, title: str, features: Callable[[int], Sequence[np.ndarray]]) -> None:
        """A row of motions that are the same in every replication."""
        self._add(title, features, drawn=False)

    def add_drawn(self, one: Perturbation, first: Sequence[np.ndarray]) -> None:
        """The row of a perturbation, of which the first replication is known."""
        self._add(
            one.title,
            lambda replication: (
                perturbed(self.clips, one, self.settings.seed, replication)
                if replication
                else first
            ),
            drawn=one.drawn,
        )

    def add_another_sample(self) -> None:
        """FID of real motion of the training split, as many clips, drawn anew each time."""
        embedder, settings = self.judges.embedder, self.settings
        sample = AnotherSample(self.store, len(self.clips))
        if embedder is None or not sample.exists:
            return
        values = []
        for replication in range(settings.replications):
            drawn = embedder.motions(sample.draw(settings.seed + replication))
            values.append(_fid(drawn, self._reference(embedder)))
        self._result(ANOTHER_SAMPLE, "fid", values)

    def _add(
        self, title: str, features: Callable[[int], Sequence[np.ndarray]], drawn: bool
    ) -> None:
        found: dict[str, list[float]] = {}
        motions: Tensor | None = None
        for replication in range(self.settings.replications):
            fresh = drawn or replication == 0
            shown = features(replication) if fresh else ()
            values: dict[str, float] = {}
            if (embedder := self.judges.embedder) is not None:
                motions = embedder.motions(shown) if fresh or motions is None else motions
                values |= self._retrieval(motions, replication)
                if fresh:
                    values["fid"] = _fid(motions, self._reference(embedder))
            if fresh and self.judges.classifier is not None:
                values |= self._accuracy(self.judges.classifier, shown)
            for name, value in values.items():
                found.setdefault(name, []).append(value)
        for name, some in found.items():
            self._result(title, name, some)

    def _reference(self, embedder: Embedder) -> Tensor:
        return embedder.motions(self.real)

    def _caption_embeddings(self, replication: int) -> Tensor | None:
        if self.judges.embedder is None:
            return None
        rng = np.random.default_rng(self.settings.seed + replication)
        chosen: list[Caption] = []
        for index in self.indices:
            captions = self.store.captions(int(index))
            number = 0 if self.settings.caption == "first" else int(rng.integers(len(captions)))
            chosen.append(captions[number])
        return self.judges.embedder.sentences(chosen)

    def _retrieval(self, motions: Tensor, replication: int) -> dict[str, float]:
        rules, captions = self.settings.rules, self._captions[replication]
        metric = Retrieval(
            distances=rules.distances, pool=rules.pool, seed=self.settings.seed + replication
        )
        if metric.shortage(Size(len(motions))) or captions is None:
            return {}
        metric.update(Batch(embeddings={"caption": captions, "motion": motions}))
        return {name: float(value) for name, value in metric.compute().items()}

    def _accuracy(
        self, classifier: ActionClassifier, features: Sequence[np.ndarray]
    ) -> dict[str, float]:
        labelled = [k for k, labels in enumerate(self.labels) if labels]
        if not labelled:
            return {}
        right = classifier.recognises(
            [features[k] for k in labelled], [self.labels[k] for k in labelled]
        )
        return {ACCURACY: 100.0 * float(right.mean())}

    def _result(self, title: str, name: str, values: Sequence[float]) -> None:
        judge: Judge = "classifier" if name == ACCURACY else "evaluator"
        self.results.append(
            Result.of(TASK, title, name, values, NUMBERS[name], len(self.clips), judge)
        )


NUMBERS: dict[str, Number] = {
    **Retrieval.numbers,
    **FrechetDistance.numbers,
    ACCURACY: Number("%", "higher"),
}


def _fid(motions: Tensor, reference: Tensor) -> float:
    metric = FrechetDistance()
    metric.update(Batch(embeddings={"motion": motions}))
    metric.update(Batch(embeddings={"reference": reference}))
    return float(metric.compute()["fid"])


def value_of(results: Sequence[Result], row: str, metric: str) -> Result | None:
    """One number of a card; None where it has none."""
    return next((one for one in results if (one.row, one.metric) == (row, metric)), None)
