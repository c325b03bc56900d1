"""The stage that asks a model everything once and keeps the answers; no judge has a part in it."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from evaluation.answers.asking import WAYS, Asking
from evaluation.answers.padded_clips import PaddedClips, encode_padded
from evaluation.answers.predictions import PREDICTIONS, About, PredictionSet
from evaluation.answers.selection import chosen_clips
from evaluation.answers.writing import describe, describe_samples, generate
from motiongpt.codecs.vq_vae.stage import MODEL
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.generation.model import MotionLanguageModel
from motiongpt.methods.motiongpt.tasks.base import Task
from motiongpt.methods.motiongpt.tasks.clip_tokens import ClipTokens
from motiongpt.methods.motiongpt.token_store import TokenStore
from motiongpt.methods.motiongpt.training.language_data import TokenisedClips
from motiongpt.methods.motiongpt.training.tokens_stage import TOKENS
from motiongpt.training.stage import Stage, StageContext

SAMPLES = "_samples"
ENCODINGS = ("own", "padded")
POLL_SECONDS = 0.5
SAY_SECONDS = 30.0


@dataclass(frozen=True)
class Piece:
    """One replication of one set of answers: what a process does on its own.

    Attributes:
        name: of the set.
        made: where its replications lie.
        number: of the replication.
        task: that is asked.
        clips: that it is asked about.
    """

    name: str
    made: PredictionSet
    number: int
    task: Task
    clips: Sequence[ClipTokens]

    @property
    def is_there(self) -> bool:
        """Whether it has been written."""
        return self.made.has(self.number)


class GenerateStage(Stage):
    """Leaves `predictions/<task>/`, see `predictions.py`; goes on where it was interrupted.

    A replication depends on its own seed and nothing else: several processes share them out and
    write what one would. If one of them dies, the first waits for it until it is stopped itself.

    Args:
        tasks: a node of conf/tasks.
        generation: that part of a node of conf/protocol.
        split, clips: which clips, and how many of them; None for all.
        max_frames: a motion of free length ends here at the latest.
        replications: of answers that are drawn; others are the same each time and kept once.
        seed: of the first replication.
    """

    distributed: ClassVar[bool] = True

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
        """Ask and save; reports how many answers of each task there are.

        Raises:
            UserError: no clip can be asked about.
        """
        folders = context.parents
        model = MotionLanguageModel.load(
            folders["tokenizer"] / MODEL, folders["instruct"] / MODEL, context.device
        )
        readings = self._readings(context, model)
        indices = chosen_clips(context.store, self.split, self.clips)
        asking = self._asking(model)
        pieces: list[Piece] = []
        counts: dict[str, float] = {}
        tasks: Mapping[str, Task] = instantiate(self.tasks)
        for task in tasks.values():
            clips = readings[task.output]
            about = describe(task, clips, indices, asking, self.replications)
            if about is None:
                context.say(f"  generate: no clip is long enough for {task.name}")
                continue
            for name, one in self._sets(task.name, about).items():
                pieces += _pieces(context, task, clips, name, one)
                counts[f"{name}/answers"] = float(len(one.clips) * one.samples * len(one.seeds))
        if not counts:
            raise UserError(f"no clip of the {self.split} split can be asked of any task")
        processes = context.processes
        for piece in pieces[processes.rank :: processes.world]:
            self._write(context, model, asking, piece)
        if processes.is_first:
            _wait_for(pieces, context)
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

    def _write(
        self, context: StageContext, model: MotionLanguageModel, asking: Asking, piece: Piece
    ) -> None:
        if piece.is_there:
            return
        about = piece.made.about
        context.say(
            f"  generate: {piece.name}, replication {piece.number + 1}/{len(about.seeds)}, "
            f"{len(piece.clips) * about.samples} answers"
        )
        torch.manual_seed(about.seeds[piece.number])
        found = generate(model, piece.task, piece.clips, about, asking, piece.number, context.store)
        piece.made.write(piece.number, found)

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


def _pieces(
    context: StageContext, task: Task, clips: TokenisedClips, name: str, about: About
) -> Iterator[Piece]:
    """All replications of a set, whether they are there or not: processes that start at different
    moments must share them out alike."""
    folder = context.folder / PREDICTIONS / name
    first = context.processes.is_first
    made = PredictionSet.create(folder, about) if first else PredictionSet(folder, about)
    places = {clip: index for index, clip in enumerate(context.store.names)}
    asked = [clips[places[clip]] for clip in about.clips]
    for number in range(len(about.seeds)):
        yield Piece(name, made, number, task, asked)


def _wait_for(pieces: Sequence[Piece], context: StageContext) -> None:
    """Return when every process has written its part."""
    said = time.monotonic()
    while missing := [piece for piece in pieces if not piece.is_there]:
        if time.monotonic() - said > SAY_SECONDS:
            said = time.monotonic()
            context.say(
                f"  generate: waiting for {len(missing)} of {len(pieces)} replications that other "
                "processes write"
            )
        time.sleep(POLL_SECONDS)
