"""From saved answers to numbers: every metric that judges their kind, over all replications."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from evaluation.case import Case, Scorers, recover_joints
from evaluation.metrics.base import Batch, Embedded, Kind, Metric, Number
from evaluation.replications.cases import CaseMaker
from evaluation.replications.comparison import MODEL, REAL, baselines
from evaluation.replications.embedder import Embedder
from evaluation.replications.results import Result
from evaluation.replications.rules import Rules
from evaluation.requests.predictions import PredictionSet
from motiongpt.data.clip import Caption
from motiongpt.data.store import MotionStore
from motiongpt.files import write_json

Values = dict[str, dict[str, float]]  # method -> number name -> value
Beside = dict[str, list[Case]]


@dataclass(frozen=True)
class Scoring:
    """Everything that scores one experiment's answers.

    Attributes:
        store: with the clips.
        metrics: name -> metric.
        rules: of the protocol.
        replications: how often pools and pairs are drawn, and answers where they are drawn too.
        seed: of the first replication.
        scorers: trained judges.
        embedder: None where there is no evaluator; metrics that need one are then left out.
        folder: where finished replications are kept, so that an interrupted scoring goes on.
        say: prints a line of progress.
    """

    store: MotionStore
    metrics: Mapping[str, Metric]
    rules: Rules
    replications: int
    seed: int
    scorers: Scorers
    embedder: Embedder | None
    folder: Path
    say: Callable[[str], None]

    def score(self, predictions: PredictionSet) -> tuple[list[Result], Beside]:
        """Results of one set of answers, and the cases of its first replication by method."""
        about = predictions.about
        chosen = self._chosen(about.kind)
        maker = CaseMaker(predictions, self.store, self.rules, self.seed)
        cases, captions = first, _ = maker.cases(0)
        beside = baselines(cases, about.kind, self.store.mean, self.seed)
        found: list[Values] = []
        constant: dict[str, dict[str, Tensor]] = {method: {} for method in (MODEL, *beside)}
        for replication in range(self.replications):
            kept = self.folder / predictions.folder.name / f"{replication:02d}.json"
            if kept.exists():
                found.append(json.loads(kept.read_text()))
                continue
            if replication and replication < len(about.seeds):
                cases, captions = maker.cases(replication)
            values = self._replication(
                replication, about.kind, cases, captions, beside, chosen, len(about.seeds), constant
            )
            write_json(kept, values)
            found.append(values)
            self.say(
                f"  evaluate: {predictions.folder.name}, replication "
                f"{replication + 1}/{self.replications}"
            )
        return _results(about.task, found, chosen, len(about.clips)), {MODEL: first, **beside}

    def _chosen(self, kind: Kind) -> list[Metric]:
        judging = [metric for metric in self.metrics.values() if kind in metric.kinds]
        if self.embedder is None:
            return [metric for metric in judging if not metric.needs]
        return judging

    def _replication(
        self,
        replication: int,
        kind: Kind,
        cases: Sequence[Case],
        captions: Sequence[Caption],
        beside: Beside,
        metrics: Sequence[Metric],
        drawn: int,
        constant: dict[str, dict[str, Tensor]],
    ) -> Values:
        values: Values = {}
        for method, those in {MODEL: list(cases), **beside}.items():
            fresh = replication == 0 or (method == MODEL and replication < drawn)
            # What nothing is drawn for has the same value in every replication: once is enough.
            wanted = [metric for metric in metrics if fresh or metric.seed is not None]
            needed = frozenset().union(*(metric.needs for metric in wanted))
            if kind != "text":
                recover_joints(those)
            batch = Batch(
                cases=those,
                embeddings=self._embeddings(needed, those, captions, method, constant[method]),
                scorers=self.scorers,
            )
            values[method] = {}
            for metric in wanted:
                values[method].update(self._value(metric, batch, replication))
        return values

    def _value(self, metric: Metric, batch: Batch, replication: int) -> dict[str, float]:
        metric.reset()
        if metric.seed is not None:
            metric.seed = self.seed + replication
        metric.update(batch)
        return {name: float(value) for name, value in metric.compute().items()}

    def _embeddings(
        self,
        needed: frozenset[Embedded],
        cases: Sequence[Case],
        captions: Sequence[Caption],
        method: str,
        constant: dict[str, Tensor],
    ) -> dict[str, Tensor]:
        """What metrics need; `constant` keeps what is the same in every replication."""
        if self.embedder is None:
            return {}
        makers: dict[Embedded, Callable[[Embedder], Tensor]] = {
            "motion": lambda embedder: embedder.motions(
                [case.features for case in cases], keep=method == REAL
            ),
            "reference": lambda embedder: embedder.motions(
                [case.reference for case in cases], keep=True
            ),
            "caption": lambda embedder: embedder.sentences(captions, keep=True),
            "written": lambda embedder: embedder.sentences([case.text for case in cases]),
            "samples": lambda embedder: embedder.motions(
                [case.features for case in cases]
            ).unflatten(0, (len({case.name for case in cases}), -1)),
        }
        found: dict[str, Tensor] = {}
        for name in needed:
            stays = name == "reference" or (method != MODEL and name != "caption")
            made = constant[name] if name in constant else makers[name](self.embedder)
            if stays:
                constant[name] = made
            found[name] = made
        return found


def _results(
    task: str, found: Sequence[Values], metrics: Sequence[Metric], cases: int
) -> list[Result]:
    numbers: dict[str, Number] = {}
    for metric in metrics:
        numbers.update(metric.numbers)
    results = []
    for method in found[0]:
        for name, number in numbers.items():
            values = [one[method][name] for one in found if name in one.get(method, {})]
            if values:
                results.append(Result.of(task, method, name, values, number, cases))
    return results
