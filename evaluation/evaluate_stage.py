"""The last stage: predictions scored under a protocol, in numbers and in pictures."""

import hashlib
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, ClassVar, get_args

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from evaluation.case import Scorers
from evaluation.classifier_stage import CLASSIFIER
from evaluation.evaluator_stage import EVALUATOR
from evaluation.evaluators.action_classifier import ActionClassifier
from evaluation.evaluators.base import Evaluator
from evaluation.evaluators.loading import load_evaluator
from evaluation.metrics.base import Metric
from evaluation.metrics.numbers import Size
from evaluation.predicting_stage import PredictingStage
from evaluation.replications.agreement import check_agreement
from evaluation.replications.clip_distances import clip_distances
from evaluation.replications.embedder import Embedder
from evaluation.replications.left_out import LeftOut, left_out_lines
from evaluation.replications.results import MODEL, Result
from evaluation.replications.rules import Rules
from evaluation.replications.scoring import Scored, Scoring
from evaluation.reports.chosen_clips import TaskOutputs
from evaluation.reports.logged import log_captions, log_results
from evaluation.reports.logged_motions import log_motions
from evaluation.reports.report import Origin, write_report
from evaluation.requests.kinds import Kind
from evaluation.requests.predictions import PREDICTIONS, PredictionSet, prediction_sets
from motiongpt.data.card import data_card
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError
from motiongpt.preflight import Outlook
from motiongpt.training.stage import Stage, StageContext

KEPT_FORMAT = 3  # of kept replications: since 2 with reasons, since 3 with another real sample


class EvaluateStage(Stage):
    """Leaves `results.json`, `table.md` and `page.html`.

    Every parent that left predictions is scored, with all metrics that judge such outputs. The
    parents `evaluator` and `classifier` are used where they are among the stage's parents.

    Args:
        protocol: a node of conf/protocol.
        metrics: name -> metric.
        captions: a node of conf/captions, for the record.
        method, facts: name of the method, and what tells its rows apart in tables.
        data, group: names under which tables and loggers show it.
        pictures: clips a task that the page shows, and the worst besides; 0 makes no page.
        seed: of the first replication.
    """

    evaluates: ClassVar[bool] = True

    def __init__(
        self,
        protocol: DictConfig,
        metrics: DictConfig,
        captions: DictConfig,
        method: str,
        facts: DictConfig,
        data: str,
        group: str,
        pictures: int,
        seed: int,
    ) -> None:
        self.protocol, self.captions = protocol, captions
        self.method, self.facts = method, _container(facts)
        self.experiment = {"group": group, "data": data}
        self.pictures, self.seed = pictures, seed
        self.rules = Rules.of(protocol.scoring)
        if protocol.replications < 1:
            raise UserError(f"protocol.replications={protocol.replications}: at least 1")
        check_agreement(*map(_container, (metrics, protocol.scoring, captions)))
        self.metric_settings = metrics
        self.metrics: dict[str, Metric] = {
            str(name): instantiate(node) for name, node in metrics.items()
        }

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """What the metrics need, and whether the sets of predictions will be large enough."""
        lines = [one for metric in self.metrics.values() for one in metric.preflight(outlook)]
        short: dict[tuple[str, str], dict[str, None]] = {}
        for name, kind, size in self._sizes(outlook):
            for metric in self.metrics.values():
                if kind in metric.kinds and (why := metric.shortage(size)):
                    short.setdefault((", ".join(metric.numbers), why), {})[name] = None
        for (numbers, why), names in short.items():
            lines.append(f"{numbers} of {', '.join(names)} will be left out: {why}")
        return lines

    def _sizes(self, outlook: Outlook) -> Iterator[tuple[str, Kind, Size]]:
        """Name, kind and size of each set of predictions; where the data is not there yet, at most
        so large."""
        parents = [one for one in outlook.parents.values() if isinstance(one, PredictingStage)]
        split = self.protocol.split
        for parent in parents:
            if outlook.store is not None:
                for name, about in parent.planned(outlook.store).items():
                    yield name, about.kind, Size(len(about.clips), about.samples)
            elif split in outlook.most_clips:
                clips = min(outlook.most_clips[split], self.protocol.clips or sys.maxsize)
                samples = self.protocol.requests.multimodality.samples
                for kind in sorted(parent.kinds):
                    yield f"the {split} split", kind, Size(clips, samples)

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Score, write, show."""
        store = context.store
        sets = [
            one
            for parent in context.parents.values()
            if (parent / PREDICTIONS).exists()
            for one in prediction_sets(parent / PREDICTIONS)
        ]
        sets.sort(key=lambda one: get_args(Kind).index(one.about.kind))
        if not sets:
            raise UserError("evaluate: no parent stage left predictions; run goal=generate first")
        evaluator, classifier = self._evaluator(context), _classifier(context)
        embedder = None
        if evaluator is not None:
            embedder = Embedder(evaluator, self.rules, store.mean, context.cache, store.fingerprint)
        scoring = Scoring(
            store=store,
            metrics=self.metrics,
            rules=self.rules,
            replications=self.protocol.replications,
            seed=self.seed,
            scorers=Scorers(
                store.skeleton,
                store.fps,
                store.action_words,
                classifier=classifier,
                mean=store.mean,
            ),
            embedder=embedder,
            folder=context.folder
            / "replications"
            / _identity(context, sets, evaluator, classifier),
            log=context.log,
        )
        results: list[Result] = []
        left_out: list[LeftOut] = []
        outputs: list[TaskOutputs] = []
        for one in sets:
            scored = scoring.score(one)
            results += scored.results
            left_out += scored.left_out
            if one.about.kind != "samples":
                outputs.append(self._outputs(one, scored, embedder))
        if embedder is not None:
            embedder.save()
        for line in left_out_lines(left_out):
            context.log(f"  evaluate: {line}")
        if not results:
            raise UserError(f"evaluate: no metric could be computed: {_first_reason(left_out)}")
        described = None if evaluator is None else _described(evaluator)
        origin = self._origin(context, sets, described)
        write_report(context.folder, results, origin, left_out)
        shown = {one.task: one.rows for one in outputs}
        loggers = context.make_logger()
        log_results(loggers, results)
        log_captions(loggers, shown)
        log_motions(loggers, context.folder, shown, store.skeleton, store.fps)
        if self.pictures:
            from evaluation.reports.result_page.page import write_result_page  # loads what draws

            write_result_page(
                context.folder,
                outputs,
                results,
                left_out,
                origin,
                store,
                self.pictures,
                context.log,
            )
        return {f"{r.task}/{r.row}/{r.metric}": r.value for r in results}

    def _outputs(
        self, predictions: PredictionSet, scored: Scored, embedder: Embedder | None
    ) -> TaskOutputs:
        """What there is to show; how far each clip is from what it should be, if that is shown."""
        about, cases = predictions.about, scored.cases
        distances = None
        if self.pictures:
            distances = clip_distances(about.kind, cases[MODEL], scored.captions, embedder)
        return TaskOutputs(about.task, cases, distances)

    def _evaluator(self, context: StageContext) -> Evaluator | None:
        folder: Path | None = context.parents.get(EVALUATOR)
        if folder is None or not (folder / EVALUATOR).exists():
            return None
        return load_evaluator(folder / EVALUATOR, context.device)

    def _origin(
        self,
        context: StageContext,
        sets: list[PredictionSet],
        evaluator: Mapping[str, Any] | None,
    ) -> Origin:
        store = context.store
        return Origin(
            stage=context.stage,
            signature=context.signature,
            method={"name": self.method, "facts": self.facts},
            experiment=self.experiment,
            data={
                "name": store.name,
                "fingerprint": store.fingerprint,
                "split": self.protocol.split,
                "clips": max(len(one.about.clips) for one in sets),
                "card": _card(store, self.protocol.split),
            },
            protocol=_container(self.protocol),
            evaluator=evaluator,
            captions=_container(self.captions),
            seeds=[self.seed + number for number in range(self.protocol.replications)],
            git=context.source,
            **context.lineage(),
        )


def _identity(
    context: StageContext,
    sets: Sequence[PredictionSet],
    evaluator: Evaluator | None,
    classifier: ActionClassifier | None,
) -> str:
    """Sixteen letters that change with whatever changes a number, so that replications which an
    interrupted scoring has kept are not taken for those of another.

    The signature stands for the settings, the stage's version and the parents as they were planned;
    the judges' own content tells one that was made again from what it replaced.
    """
    files = sorted(file for one in sets for file in one.folder.iterdir())
    facts = {
        "signature": context.signature,
        "format": KEPT_FORMAT,
        "evaluator": None if evaluator is None else evaluator.fingerprint,
        "classifier": None if classifier is None else classifier.fingerprint,
        "data": context.store.fingerprint,
        "predictions": [[str(f), f.stat().st_size, f.stat().st_mtime_ns] for f in files],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _card(store: MotionStore, split: str) -> dict[str, Any]:
    """What the split has in common with train, see `motiongpt.data.card`; empty for train."""
    found = data_card(store).get(split)
    return {} if found is None else asdict(found)


def _first_reason(left_out: Sequence[LeftOut]) -> str:
    return next((one.reason for one in left_out), "none judges these predictions")


def _described(evaluator: Evaluator) -> dict[str, Any]:
    return {**evaluator.description, "fingerprint": evaluator.fingerprint}


def _container(node: DictConfig) -> Any:
    return OmegaConf.to_container(node, resolve=True)


def _classifier(context: StageContext) -> ActionClassifier | None:
    parent = context.parents.get(CLASSIFIER)
    if parent is None or not (parent / CLASSIFIER).exists():
        return None
    return ActionClassifier.load(parent / CLASSIFIER, context.device)
