"""From predictions to numbers: every metric that judges their kind, over all replications."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np
from torch import Tensor

from evaluation.case import Case, Scorers, recover_joints
from evaluation.metrics.base import MOTIONS, Batch, Embedded, Kind, Metric
from evaluation.metrics.numbers import Judge, Number
from evaluation.replications.another_sample import ANOTHER_SAMPLE, AnotherSample
from evaluation.replications.cases import CaseMaker, random_unit
from evaluation.replications.comparison import baselines
from evaluation.replications.embedder import Embedder
from evaluation.replications.intervals import IntervalKind
from evaluation.replications.judging import attempted
from evaluation.replications.left_out import NO_EVALUATOR, NOTHING, LeftOut
from evaluation.replications.results import MODEL, REAL, Result
from evaluation.replications.rules import Rules
from evaluation.requests.predictions import PredictionSet
from motiongpt.data.clip import Caption
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.files import write_json

Values = dict[str, dict[str, float]]  # row -> number name -> value
Reasons = dict[str, dict[str, str]]  # row -> number name -> why there is no value
Beside = dict[str, list[Case]]


@dataclass(frozen=True)
class Replication:
    """What one replication came to; kept as JSON."""

    values: Values
    reasons: Reasons


class Scored(NamedTuple):
    """What one set of predictions came to.

    Attributes:
        results: all numbers that could be had.
        left_out: the others; a number that one replication lacks is left out of all.
        cases: of the first replication, by row.
        captions: what each of these cases is about.
    """

    results: list[Result]
    left_out: list[LeftOut]
    cases: Beside
    captions: Sequence[Caption]


@dataclass(frozen=True)
class Scoring:
    """Everything that scores one experiment's predictions.

    Attributes:
        store: with the clips.
        metrics: name -> metric.
        rules: of the protocol.
        replications: how often pools and pairs are drawn, and outputs where they are drawn too.
        seed: of the first replication.
        scorers: trained judges.
        embedder: None where there is no evaluator; what needs one is then left out.
        folder: where finished replications are kept, so that an interrupted scoring goes on.
        log: prints a line of progress.

    Raises:
        UserError: two metrics of one kind of output have a number of the same name.
    """

    store: MotionStore
    metrics: Mapping[str, Metric]
    rules: Rules
    replications: int
    seed: int
    scorers: Scorers
    embedder: Embedder | None
    folder: Path
    log: Callable[[str], None]

    def __post_init__(self) -> None:
        check_names(self.metrics)

    def score(self, predictions: PredictionSet) -> Scored:
        """Everything that judges one set of predictions.

        Raises:
            UserError: its files are broken, or a motion in them is not finite.
        """
        about = predictions.about
        chosen = self._chosen(about.kind)
        maker = CaseMaker(predictions, self.store, self.rules, self.seed)
        cases, captions = first, asked = maker.cases(0)
        beside = baselines(cases, about.kind, self.store.mean, self.seed)
        found: list[Replication] = []
        constant: dict[str, dict[str, Tensor]] = {
            row: {} for row in (MODEL, *beside, ANOTHER_SAMPLE)
        }
        for replication in range(self.replications):
            kept = self.folder / predictions.folder.name / f"{replication:02d}.json"
            if kept.exists():
                found.append(Replication(**json.loads(kept.read_text())))
                continue
            if replication and replication < len(about.seeds):
                cases, captions = maker.cases(replication)
            rows = {MODEL: list(cases), **beside}
            if REAL in beside and any(metric.compares_sets for metric in chosen):
                rows |= self._another_sample(about.kind, beside[REAL], replication)
            judged = self._replication(
                replication, about.kind, rows, captions, chosen, len(about.seeds), constant
            )
            write_json(kept, asdict(judged))
            found.append(judged)
            self.log(
                f"  evaluate: {predictions.folder.name}, replication "
                f"{replication + 1}/{self.replications}"
            )
        left_out = _left_out(about.task, found)
        results = _results(
            about.task, found, chosen, len(about.clips), left_out, self.rules.intervals
        )
        return Scored(results, left_out, {MODEL: first, **beside}, asked)

    def _chosen(self, kind: Kind) -> list[Metric]:
        return [metric for metric in self.metrics.values() if kind in metric.kinds]

    def _replication(
        self,
        replication: int,
        kind: Kind,
        rows: Beside,
        captions: Sequence[Caption],
        metrics: Sequence[Metric],
        drawn: int,
        constant: dict[str, dict[str, Tensor]],
    ) -> Replication:
        judged = Replication({}, {})
        for row, those in rows.items():
            other = row == ANOTHER_SAMPLE  # motions of other clips than the cases are about
            fresh = replication == 0 or other or (row == MODEL and replication < drawn)
            # What nothing is drawn for has the same value in every replication: once is enough.
            wanted = [
                metric
                for metric in metrics
                if (fresh or metric.seed is not None) and (metric.compares_sets or not other)
            ]
            needed = frozenset().union(*(metric.needs for metric in wanted))
            if kind != "text" and not other:
                recover_joints(those)
            embeddings, broken = self._embeddings(needed, those, captions, row, constant[row])
            batch = Batch(cases=those, embeddings=embeddings, scorers=self.scorers)
            judged.values[row], judged.reasons[row] = {}, {}
            for metric in wanted:
                found, why = None, next((broken[one] for one in metric.needs if one in broken), "")
                if not why:
                    found, why = attempted(partial(self._value, metric, batch, replication))
                values = found or {}
                finite = {name: value for name, value in values.items() if math.isfinite(value)}
                judged.values[row] |= finite
                judged.reasons[row] |= {
                    name: why or (f"came to {values[name]}" if name in values else NOTHING)
                    for name in metric.numbers
                    if name not in finite
                }
        return judged

    def _another_sample(self, kind: Kind, real: Sequence[Case], replication: int) -> Beside:
        """Other real motion in place of the real clips, drawn anew in each replication; none where
        there is too little of it, or where outputs are no motions of one clip each."""
        sample = AnotherSample(self.store, len(real))
        if kind not in MOTIONS or not sample.exists:
            return {}
        seed = self.seed + replication
        motions, rng = sample.draw(seed), np.random.default_rng(seed)
        if self.rules.clip_crop == "random_unit":
            motions = [random_unit(motion, rng) for motion in motions]
        pairs = zip(real, motions, strict=True)
        return {ANOTHER_SAMPLE: [replace(case, features=motion) for case, motion in pairs]}

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
        row: str,
        constant: dict[str, Tensor],
    ) -> tuple[dict[str, Tensor], dict[Embedded, str]]:
        """What metrics need, and why some of it can't be had; `constant` keeps what is the same in
        every replication."""
        if self.embedder is None:
            return {}, dict.fromkeys(needed, NO_EVALUATOR)
        makers: dict[Embedded, Callable[[Embedder], Tensor]] = {
            "motion": lambda embedder: embedder.motions(
                [case.features for case in cases], keep=row == REAL
            ),
            "reference": lambda embedder: embedder.motions(
                [case.reference for case in cases], keep=True
            ),
            "caption": lambda embedder: embedder.sentences(captions, keep=True),
            "sentence": lambda embedder: embedder.sentences([case.text for case in cases]),
            "samples": lambda embedder: embedder.motions(
                [case.features for case in cases]
            ).unflatten(0, (len({case.name for case in cases}), -1)),
        }
        found: dict[str, Tensor] = {}
        broken: dict[Embedded, str] = {}
        for name in sorted(needed):
            stays = name == "reference" or (
                row not in (MODEL, ANOTHER_SAMPLE) and name != "caption"
            )
            made, why = constant.get(name), ""
            if made is None:
                made, why = attempted(partial(makers[name], self.embedder))
            if made is None:
                broken[name] = why
                continue
            if stays:
                constant[name] = made
            found[name] = made
        return found, broken


def check_names(metrics: Mapping[str, Metric]) -> None:
    """Refuse metrics of which one would overwrite the other's number.

    Raises:
        UserError: names both metrics, the number and the kind of output.
    """
    for kind in get_args(Kind):
        owners: dict[str, str] = {}
        for name, metric in metrics.items():
            for number in metric.numbers if kind in metric.kinds else ():
                if number in owners:
                    raise UserError(
                        f"metrics.{owners[number]} and metrics.{name} both give the number "
                        f"{number} of a {kind}; leave one out, as by ~metrics.{name}"
                    )
                owners[number] = name


def _left_out(task: str, found: Sequence[Replication]) -> list[LeftOut]:
    reasons: dict[tuple[str, str], str] = {}
    for one in found:
        for row, by_name in one.reasons.items():
            for name, reason in by_name.items():
                reasons.setdefault((row, name), reason)
    return [LeftOut(task, row, name, reason) for (row, name), reason in reasons.items()]


def _results(
    task: str,
    found: Sequence[Replication],
    metrics: Sequence[Metric],
    cases: int,
    left_out: Sequence[LeftOut],
    intervals: IntervalKind,
) -> list[Result]:
    numbers: dict[str, tuple[Number, Judge]] = {
        name: (number, metric.judge)
        for metric in metrics
        for name, number in metric.numbers.items()
    }
    lacking = {(one.row, one.metric) for one in left_out}
    results = []
    for row in found[0].values:
        for name, (number, judge) in numbers.items():
            values = [one.values[row][name] for one in found if name in one.values.get(row, {})]
            if values and (row, name) not in lacking:
                results.append(Result.of(task, row, name, values, number, cases, judge, intervals))
    return results
