"""The stage that asks a model everything once and keeps the answers; no judge has a part in it."""

from collections.abc import Mapping
from dataclasses import replace

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from evaluation.answers.asking import WAYS, Asking
from evaluation.answers.padded_clips import PaddedClips, encode_padded
from evaluation.answers.predictions import PREDICTIONS, About, PredictionSet
from evaluation.answers.selection import chosen_clips
from evaluation.answers.writing import describe, describe_samples, generate
from motiongpt.data.token_store import TokenStore
from motiongpt.errors import UserError
from motiongpt.generation.model import MotionLanguageModel
from motiongpt.tasks.base import Task
from motiongpt.training.language_data import TokenisedClips
from motiongpt.training.stage import StageContext
from motiongpt.training.tokenizer_stage import MODEL
from motiongpt.training.tokens_stage import TOKENS

SAMPLES = "_samples"
ENCODINGS = ("own", "padded")


class GenerateStage:
    """Leaves `predictions/<task>/`, see `predictions.py`; goes on where it was interrupted.

    Args:
        tasks: a node of conf/tasks.
        generation: that part of a node of conf/protocol.
        split, clips: which clips, and how many of them; None for all.
        max_frames: a motion of free length ends here at the latest.
        replications: of answers that are drawn; others are the same each time and kept once.
        seed: of the first replication.
    """

    def __init__(
        self,
        tasks: DictConfig,
        generation: DictConfig,
        split: str,
        clips: int | None,
        max_frames: int,
        replications: int,
        seed: int,
    ) -> None:
        self.generation, self.seed, self.replications = generation, seed, replications
        self.split, self.clips, self.max_frames = split, clips, max_frames
        # These three decide how a trained model is asked; the training has its own.
        asked = {key: generation[key] for key in ("prompts", "replies", "placeholders")}
        self.tasks = OmegaConf.merge(tasks, asked)
        if generation.encoding not in ENCODINGS:
            raise UserError(
                f"protocol.generation.encoding={generation.encoding}: choose one of "
                f"{', '.join(ENCODINGS)}"
            )

    def run(self, context: StageContext) -> Mapping[str, float]:
        """Ask and save; reports how many answers of each task there are."""
        folders = context.parents
        model = MotionLanguageModel.load(folders["tokenizer"] / MODEL, folders["instruct"] / MODEL)
        readings = self._readings(context, model)
        indices = chosen_clips(context.store, self.split, self.clips)
        asking = self._asking(model)
        counts: dict[str, float] = {}
        tasks: Mapping[str, Task] = instantiate(self.tasks)
        for task in tasks.values():
            clips = readings[task.output]
            about = describe(task, clips, indices, asking, self.replications)
            if about is None:
                context.say(f"  generate: no clip is long enough for {task.name}")
                continue
            for name, one in self._sets(task.name, about).items():
                self._fill(context, model, task, clips, asking, name, one)
                counts[f"{name}/answers"] = float(len(one.clips) * one.samples * len(one.seeds))
        if not counts:
            raise UserError(f"no clip of the {self.split} split can be asked of any task")
        return counts

    def _readings(
        self, context: StageContext, model: MotionLanguageModel
    ) -> Mapping[str, TokenisedClips]:
        """The clips as tasks see them, by what a task writes."""
        store, tokens = context.store, TokenStore.open(context.parents["tokens"] / TOKENS)
        if self.generation.encoding == "own":
            return dict.fromkeys(("text", "motion"), TokenisedClips(store, tokens))
        padded = encode_padded(model.tokenizer, store, store.indices(self.split).tolist())
        return {
            "text": PaddedClips(store, tokens, padded, shown=True),
            "motion": PaddedClips(store, tokens, padded, shown=False),
        }

    def _sets(self, name: str, about: About) -> dict[str, About]:
        wanted = self.generation.multimodality
        if about.kind != "motion" or not wanted.texts:
            return {name: about}
        times = wanted.replications or self.replications
        samples = describe_samples(about, wanted.texts, wanted.samples, times, self.seed)
        return {name: about, name + SAMPLES: samples}

    def _fill(
        self,
        context: StageContext,
        model: MotionLanguageModel,
        task: Task,
        clips: TokenisedClips,
        asking: Asking,
        name: str,
        about: About,
    ) -> None:
        made = PredictionSet.create(context.folder / PREDICTIONS / name, about)
        missing = [number for number in range(len(about.seeds)) if not made.has(number)]
        if not missing:
            return
        places = {clip: index for index, clip in enumerate(context.store.names)}
        asked = [clips[places[clip]] for clip in about.clips]
        for number in missing:
            context.say(
                f"  generate: {name}, replication {number + 1}/{len(about.seeds)}, "
                f"{len(asked) * about.samples} answers"
            )
            torch.manual_seed(about.seeds[number])
            made.write(number, generate(model, task, asked, about, asking, number, context.store))

    def _asking(self, model: MotionLanguageModel) -> Asking:
        longest = max(1, self.max_frames // model.tokenizer.frames_per_token)
        decodings = {
            way: replace(instantiate(self.generation[f"{way}_decoding"]), max_motion_tokens=longest)
            for way in set(WAYS.values())
        }
        return Asking(
            caption=self.generation.caption,
            length=self.generation.length,
            decodings=decodings,
            sample_wording=self.generation.multimodality.wording,
            seed=self.seed,
        )
