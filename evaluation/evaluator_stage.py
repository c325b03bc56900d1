"""The stage that leaves an evaluator behind: one of our own training, or the published one."""

from collections.abc import Iterable, Mapping
from typing import ClassVar

import numpy as np
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig

from evaluation.cards.make import card_of_trained
from evaluation.evaluators.base import Evaluator, EvaluatorSource
from evaluation.metrics.base import Batch
from evaluation.metrics.retrieval import POOL, Retrieval
from motiongpt.data.store import MotionStore
from motiongpt.preflight import Outlook
from motiongpt.training.stage import Stage, StageContext

EVALUATOR = "evaluator"
SHORTEST = 4
"""Frames of a clip that an evaluator can judge: one movement step."""


class EvaluatorStage(Stage):
    """Leaves the folder `evaluator/`, which `load_evaluator` opens, with its card; nothing
    where data lacks words.

    Args:
        evaluator: a node of conf/evaluator, which builds an `EvaluatorSource`.
        seed: of its training, and of the captions that its own score is computed with.
    """

    evaluates: ClassVar[bool] = True

    def __init__(self, evaluator: DictConfig, seed: int) -> None:
        self.source: EvaluatorSource = instantiate(evaluator)
        self.seed = seed

    def preflight(self, outlook: Outlook) -> Iterable[str]:
        """What its source needs, where the data can give an evaluator at all."""
        if outlook.store is not None and (lacking := self._lacking(outlook.store)):
            return [lacking]
        return self.source.preflight(outlook)

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Make it, save it, and report R-precision on real motion that it has not seen.

        An interrupted training starts anew: it takes minutes. Where the data can't give one, what
        needs it is left out later on.
        """
        if lacking := self._lacking(context.store):
            context.log(f"  evaluator: {lacking}")
            return {}
        evaluator = self.source.make(context.store, self.seed, context.log, str(context.device))
        evaluator.save(context.folder / EVALUATOR)
        found = real_retrieval(evaluator, context.store, "val", self.seed)
        if not found:
            context.log(
                f"  evaluator: no R-precision, fewer than {POOL} validation clips with words"
            )
        card = card_of_trained(context, context.folder / EVALUATOR, self.seed, evaluator=evaluator)
        return {**{f"val/{name}": value for name, value in found.items()}, **card}

    def _lacking(self, store: MotionStore) -> str:
        said = self.source.lacking(store)
        return f"none, and no metric that needs one will be computed: {said}" if said else ""


def real_retrieval(
    evaluator: Evaluator, store: MotionStore, split: str, seed: int
) -> dict[str, float]:
    """R-precision and MM-Dist of real motion in pools of 32, one random caption a clip.

    Clips without captions are left out; empty where the split has no 32 others.
    """
    draw = np.random.default_rng(seed)
    longest = int(evaluator.description["max_frames"])
    captions = {
        int(index): store.captions(int(index))
        for index in store.indices(split)
        if store.lengths[index] >= SHORTEST
    }
    clips = [index for index, some in captions.items() if some]
    if len(clips) < POOL:
        return {}
    chosen = [captions[index][draw.integers(len(captions[index]))] for index in clips]
    motions = evaluator.motion_embeddings([store.features(i, stop=longest) for i in clips])
    embeddings = {
        "caption": torch.from_numpy(evaluator.text_embeddings(chosen)),
        "motion": torch.from_numpy(motions),
    }
    metric = Retrieval(seed=seed)
    metric.update(Batch(embeddings=embeddings))
    return {name: float(value) for name, value in metric.compute().items()}
