"""The last stage: all tasks on the test split, beside baselines, as numbers and as pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from evaluation.answers import WAYS, Asking, joints_of, make_cases
from evaluation.case import Case, Scorers
from evaluation.classifier_stage import CLASSIFIER
from evaluation.comparison import MODEL, REAL, methods
from evaluation.evaluators.action_classifier import ActionClassifier
from evaluation.gallery import draw_gallery
from evaluation.metrics.base import Metric
from evaluation.results import Result, write_results
from motiongpt.data.store import MotionStore
from motiongpt.data.token_store import TokenStore
from motiongpt.errors import UserError
from motiongpt.generation.model import MotionLanguageModel
from motiongpt.tasks.base import Task
from motiongpt.tokenizers.trained import TrainedTokenizer
from motiongpt.training.language_data import TokenisedClips
from motiongpt.training.stage import StageContext
from motiongpt.training.tokenizer_stage import MODEL as MODEL_FOLDER
from motiongpt.training.tokens_stage import TOKENS

RECONSTRUCTION = "reconstruction"


class EvaluateStage:
    """Leaves `results.json`, `table.md`, `page.html` and `pictures/`.

    Args:
        tasks: a node of conf/tasks.
        protocol: a node of conf/protocol: which clips, which captions, whose length, how written.
        metrics: name -> metric; a task gets those that it names, the reconstruction those of
            `reconstruction_metrics`.
        pictures: clips a task that are drawn.
        seed: of sampling and of chance.
    """

    def __init__(
        self,
        tasks: DictConfig,
        protocol: DictConfig,
        metrics: DictConfig,
        reconstruction_metrics: Sequence[str],
        pictures: int,
        seed: int,
    ) -> None:
        self.tasks, self.protocol, self.seed, self.pictures = tasks, protocol, seed, pictures
        self.metrics: dict[str, Metric] = {
            str(name): instantiate(node) for name, node in metrics.items()
        }
        self.reconstruction_metrics = list(reconstruction_metrics)
        self.decodings = {way: instantiate(protocol[f"{way}_decoding"]) for way in WAYS}

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Answer, score, draw."""
        store, folders = context.store, context.parents
        indices = self._clips(store)
        tasks: Mapping[str, Task] = instantiate(self.tasks)
        model = MotionLanguageModel.load(
            folders["tokenizer"] / MODEL_FOLDER, folders["instruct"] / MODEL_FOLDER
        )
        clips = TokenisedClips(store, TokenStore.open(folders["tokens"] / TOKENS))
        context.say(
            f"  evaluate: {len(indices)} clips of the {self.protocol.split} split, "
            f"tasks {', '.join(tasks)}"
        )
        torch.manual_seed(self.seed)
        answers = {RECONSTRUCTION: _reconstructions(model.tokenizer, store, indices)}
        for name, cases in make_cases(model, tasks, clips, indices, self._asking(model)).items():
            answers[name] = methods(cases, self.seed)
        scorers = Scorers(store.skeleton, store.action_words, _classifier(context))
        wanted = {
            RECONSTRUCTION: self.reconstruction_metrics,
            **{name: list(task.metrics) for name, task in tasks.items()},
        }
        results = [
            result
            for name, by_method in answers.items()
            for result in self._scores(name, by_method, wanted[name], scorers)
        ]
        protocol: Any = OmegaConf.to_container(self.protocol, resolve=True)
        write_results(context.folder, results, protocol, store.fingerprint, self.seed)
        if self.pictures:
            draw_gallery(context.folder, answers, results, store, self.pictures, context.say)
        return {f"{r.task}/{r.method}/{r.metric}": r.value for r in results}

    def _asking(self, model: MotionLanguageModel) -> Asking:
        longest = max(1, self.protocol.max_frames // model.tokenizer.frames_per_token)
        decodings = {
            way: replace(decoding, max_motion_tokens=longest)
            for way, decoding in self.decodings.items()
        }
        return Asking(self.protocol.caption, self.protocol.length, decodings, self.seed)

    def _clips(self, store: MotionStore) -> list[int]:
        indices = [int(index) for index in store.indices(self.protocol.split)]
        if not indices:
            raise UserError(
                f"the {self.protocol.split} split of {store.name} has no clips to "
                "evaluate; choose another with protocol.split"
            )
        return indices[: self.protocol.clips] if self.protocol.clips else indices

    def _scores(
        self,
        task: str,
        by_method: Mapping[str, list[Case]],
        wanted: Sequence[str],
        scorers: Scorers,
    ) -> list[Result]:
        results = []
        for name in (name for name in wanted if name in self.metrics):
            metric = self.metrics[name]
            for method, cases in by_method.items():
                value = metric(cases, scorers)
                if np.isfinite(value):
                    results.append(
                        Result(
                            task,
                            method,
                            name,
                            value,
                            metric.unit,
                            metric.lower_is_better,
                            len(cases),
                        )
                    )
        return results


def _classifier(context: StageContext) -> ActionClassifier | None:
    folder = context.parents["classifier"] / CLASSIFIER
    return ActionClassifier.load(folder) if folder.exists() else None


def _reconstructions(
    tokenizer: TrainedTokenizer, store: MotionStore, indices: Sequence[int]
) -> dict[str, list[Case]]:
    rate = tokenizer.frames_per_token
    real = [store.features(i)[: int(store.lengths[i]) // rate * rate] for i in indices]
    found = tokenizer.decode(tokenizer.encode(real))
    cases: dict[str, list[Case]] = {MODEL: [], "mean pose": [], REAL: []}
    for index, features, rebuilt in zip(indices, real, found, strict=True):
        mean = np.repeat(store.mean[None], len(features), axis=0)
        true = joints_of(store, features)
        for method, motion in ((MODEL, rebuilt), ("mean pose", mean), (REAL, features)):
            cases[method].append(
                Case(
                    name=store.names[index],
                    labels=store.labels(index),
                    captions=tuple(c.text for c in store.captions(index)),
                    prompt="",
                    reference=features,
                    reference_joints=true,
                    given=np.zeros(len(features), bool),
                    text="",
                    features=motion,
                    joints=joints_of(store, motion),
                )
            )
    return cases
