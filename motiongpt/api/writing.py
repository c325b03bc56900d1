"""The model behind the Python API: encodes in one call, asks in one call, decodes in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from motiongpt.api.motion import Motion
from motiongpt.api.opening import Opened
from motiongpt.backbones.initialisation import embedding_rows
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt import tasks as task_modules
from motiongpt.methods.motiongpt.generation.decoding import Decoding
from motiongpt.methods.motiongpt.generation.model import Answer, MotionLanguageModel, Request
from motiongpt.methods.motiongpt.generation.precision import fastest_precision
from motiongpt.methods.motiongpt.tasks.base import Task
from motiongpt.methods.motiongpt.tasks.clip_tokens import Codes
from motiongpt.methods.motiongpt.tasks.task_mix import TaskMix
from motiongpt.registry import classes_in

FREE_SECONDS = 9.8  # a motion of free length ends here at the latest: HumanML3D's 196 frames
MARKS = 3  # start and end of a motion, end of text


class Completion(Protocol):
    """A motion of which parts are given."""

    def features(self) -> list[np.ndarray]:
        """The parts (T, F) to be encoded."""
        ...

    def request(self, codes: Sequence[Codes]) -> Request:
        """What the model is asked, from the codes of the parts."""
        ...

    def motion(self, decoded: np.ndarray) -> Motion:
        """The whole, from what was decoded (T, F)."""
        ...


class Writer:
    """A trained model and the tasks that it can be asked, whatever they are."""

    def __init__(self, opened: Opened, precision: str | None = None) -> None:
        self.model = MotionLanguageModel(opened.tokenizer, opened.backbone.eval())
        self.fps, self.skeleton = opened.fps, opened.skeleton
        backbone = opened.backbone
        width = embedding_rows(backbone.language_model).shape[1]
        precision = precision or fastest_precision(backbone.device, width)
        self.precision = Decoding(precision=precision).precision  # refuses what there is not
        found = classes_in(task_modules, Task)  # type: ignore[type-abstract]
        self.tasks = TaskMix(
            opened.tokenizer.codebook_size,
            tasks={task.name: task for task in found.values()},
            templates=opened.templates,
        )

    @property
    def frames_per_token(self) -> int:
        """Frames that one code stands for."""
        return self.model.tokenizer.frames_per_token

    @property
    def most_tokens(self) -> int:
        """Codes of the longest motion that the language model can have learnt to write."""
        return self.model.backbone.max_target_tokens - MARKS

    def encode(self, clips: Sequence[np.ndarray]) -> list[Codes]:
        """Codes of each clip of features (T, F), all in one call.

        Raises:
            UserError: a clip is shorter than one token.
        """
        for index, clip in enumerate(clips):
            if len(clip) < self.frames_per_token:
                raise UserError(
                    f"motion {index}: {len(clip)} frames are less than one token; give at least "
                    f"{self.frames_per_token}"
                )
        return self.model.tokenizer.encode(clips) if clips else []

    def answer(self, requests: Sequence[Request], decoding: Decoding, seed: int) -> list[Answer]:
        """All answers, written in one batched call.

        Raises:
            UserError: a prompt is longer than the model reads.
        """
        for index, request in enumerate(requests):
            self.check_room(request, f"input {index}")
        free = max(1, int(FREE_SECONDS * self.fps) // self.frames_per_token)
        chosen = replace(
            decoding,
            precision=self.precision,
        )
        return self.model.answer(requests, chosen, seed, min(free, self.most_tokens))

    def motions(
        self, requests: Sequence[Request], decoding: Decoding, seed: int
    ) -> list[np.ndarray]:
        """Features (T, F) of the motions that were written, decoded in one call."""
        return self.model.motions(self.answer(requests, decoding, seed))

    def texts(self, requests: Sequence[Request], decoding: Decoding, seed: int) -> list[str]:
        """The sentences that were written."""
        return [answer.text for answer in self.answer(requests, decoding, seed)]

    def completed(
        self, completions: Sequence[Completion], decoding: Decoding, seed: int
    ) -> list[Motion]:
        """Motions of which parts were given, all in one call of each network."""
        parts = [one.features() for one in completions]
        codes = iter(self.encode([part for some in parts for part in some]))
        requests = [
            one.request([next(codes) for _ in some])
            for one, some in zip(completions, parts, strict=True)
        ]
        decoded = self.motions(requests, decoding, seed)
        return [one.motion(rows) for one, rows in zip(completions, decoded, strict=True)]

    def check_room(self, request: Request, what: str) -> None:
        """Refuse a prompt that is longer than the model reads, instead of cutting it.

        Raises:
            UserError: says how long it is.
        """
        backbone = self.model.backbone
        row = backbone.text_tokenizer(request.prompt, add_special_tokens=False, verbose=False)
        found, most = len(row["input_ids"]), backbone.max_input_tokens - 1
        if found > most:
            raise UserError(
                f"{what}: {found} tokens of words and motion, the model reads {most}; one token of "
                f"motion is {self.frames_per_token} frames: cut it"
            )
