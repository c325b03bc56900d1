"""The judge of motions that a model makes while it trains; see `motiongpt.training.watching`."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from hydra.utils import instantiate
from omegaconf import DictConfig
from torch import Tensor

from evaluation.case import Case, Scorers, recover_joints
from evaluation.evaluator_stage import EVALUATOR
from evaluation.evaluators.loading import load_evaluator
from evaluation.metrics.base import Batch, Embedded, Metric
from evaluation.metrics.numbers import Better
from evaluation.replications.embedder import Embedder
from evaluation.replications.judging import attempted
from evaluation.replications.rules import Rules
from evaluation.replications.scoring import check_names
from motiongpt.data.store import MotionStore
from motiongpt.errors import UserError

KIND = "motion"


class ValidationJudge:
    """Judges free motions by metrics of `conf/metrics`, with the evaluator stage's network.

    Args:
        metrics: name -> node of a metric that judges motions of texts.
        scoring: `protocol.scoring`.

    Raises:
        UserError: a metric of other outputs.
    """

    parent = EVALUATOR

    def __init__(self, metrics: DictConfig, scoring: DictConfig) -> None:
        self.metrics: dict[str, Metric] = {
            str(name): node if isinstance(node, Metric) else instantiate(node)
            for name, node in metrics.items()
        }
        for name, metric in self.metrics.items():
            if KIND not in metric.kinds:
                kinds = ", ".join(sorted(metric.kinds))
                raise UserError(f"watch.judge.metrics.{name}: judges {kinds}, not motions of texts")
        check_names(self.metrics)
        self.rules = Rules.of(scoring)
        self.better: Mapping[str, Better] = {
            name: number.better
            for metric in self.metrics.values()
            for name, number in metric.numbers.items()
        }

    def open(self, folder: Path, store: MotionStore) -> None:
        """See `motiongpt.training.watching.Judge`."""
        evaluator = load_evaluator(folder / EVALUATOR)
        self.store = store
        self.embedder = Embedder(evaluator, self.rules, store.mean)
        self.scorers = Scorers(store.skeleton, store.fps, store.action_words, mean=store.mean)

    def numbers(
        self, clips: Sequence[int], captions: Sequence[str], motions: Sequence[np.ndarray]
    ) -> tuple[dict[str, float], list[str]]:
        """See `motiongpt.training.watching.Judge`."""
        triples = zip(clips, captions, motions, strict=True)
        cases = [self._case(*three) for three in triples]
        recover_joints(cases)
        batch = Batch(cases, self._embeddings(cases), scorers=self.scorers)
        found: dict[str, float] = {}
        reasons = []
        for name, metric in self.metrics.items():
            values, why = attempted(partial(_values, metric, batch))
            found |= values or {}
            if why:
                reasons.append(f"{name} is left out: {why}")
        return found, reasons

    def _case(self, clip: int, caption: str, motion: np.ndarray) -> Case:
        reference = self.store.features(clip)
        return Case(
            name=self.store.names[clip],
            labels=self.store.labels(clip),
            captions=tuple(one.text for one in self.store.captions(clip)),
            caption=caption,
            prompt=caption,
            reference=reference,
            given=np.zeros(len(reference), bool),
            text="",
            features=motion,
            skeleton=self.store.skeleton,
        )

    def _embeddings(self, cases: Sequence[Case]) -> dict[str, Tensor]:
        needed: frozenset[Embedded] = frozenset().union(*(m.needs for m in self.metrics.values()))
        makers = {
            "motion": lambda: self.embedder.motions([case.features for case in cases]),
            "reference": lambda: self.embedder.motions([case.reference for case in cases]),
            "caption": lambda: self.embedder.sentences([case.caption for case in cases]),
        }
        return {name: make() for name, make in makers.items() if name in needed}


def _values(metric: Metric, batch: Batch) -> dict[str, float]:
    metric.reset()
    metric.update(batch)
    return {name: float(value) for name, value in metric.compute().items()}
