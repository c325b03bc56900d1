"""Lookup copies the training clip that is nearest to what is asked: the yardstick of all methods.

A method that scores no better than a copy has not learnt what the score is said to measure.
Shape letters: T frames, F features.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from motiongpt.errors import UserError
from motiongpt.methods.base import (
    INBETWEEN,
    MOTION_TO_TEXT,
    PREDICTION,
    TASKS,
    TEXT_TO_MOTION,
    Method,
    MotionFormat,
    Output,
    Request,
    part_folder,
)
from motiongpt.methods.lookup.completion import Completion, held
from motiongpt.methods.lookup.memory import SPLIT, Memory
from motiongpt.methods.lookup.motions import MotionQuery, key_frames, nearest_motions
from motiongpt.methods.lookup.windows import nearest_windows

MEMORY = "memory"
STRIDE = 4
_NO_OTHER = "lookup knows no other clip with a caption"


@dataclass(frozen=True)
class Copying:
    """How windows are looked for.

    Attributes:
        stride: of each clip every so many frames a window begins; 1 tries all of them.

    Raises:
        UserError: a stride below 1.
    """

    stride: int = STRIDE

    def __post_init__(self) -> None:
        if self.stride < 1:
            raise UserError(f"lookup: stride={self.stride}; windows begin every 1 or more frames")


class Lookup(Method):
    """Copies of training clips; the same whatever the seed.

    A clip that is asked about never gets itself, by its name. Of several samples of one request
    the first copies the nearest clip, the next one the next nearest. Clips that are equally near
    come in the order of their names.

    Text to motion: the clip with the nearest caption (see `CaptionIndex`), cut or its last pose
    held to the length that is asked for. Motion to text: the first caption of the nearest clip (see
    `nearest_motions`). Prediction and in-between: the nearest window (see `nearest_windows`).

    Args:
        memory: that it copies from.
        copying: how it looks for windows.
    """

    name = "lookup"
    options_type = Copying
    all_tasks = frozenset(TASKS)
    repeatable = frozenset(TASKS)
    copies_clips = True

    def __init__(self, memory: Memory, copying: Copying | None = None) -> None:
        self.memory, self.stride = memory, (copying or Copying()).stride
        self.tasks = self.all_tasks

    @classmethod
    def load(
        cls,
        folders: Mapping[str, Path],
        format: MotionFormat,
        device: str | torch.device = "cpu",
        **options: Any,
    ) -> Self:
        """See `Method.load`; one part, "memory", which names the store that it copies from.

        Args:
            device: not used; all is numpy on the CPU.
            options: the fields of `Copying`.

        Raises:
            UserError: also where the store is absent, another one, or of another skeleton.
        """
        chosen = cls.chosen(**options)
        memory = Memory.open(part_folder(folders, MEMORY, cls.name))
        known = memory.store.skeleton.name
        if format.skeleton.name != known:
            raise UserError(
                f"lookup copies motions of the skeleton {known!r}, not {format.skeleton.name!r}; "
                "run the stage lookup on this data set"
            )
        return cls(memory, chosen)

    def generate(self, requests: Sequence[Request], seed: int) -> list[Output]:
        """See `Method.generate`; the seed changes nothing.

        Raises:
            UserError: also where there is nothing to copy: no caption, no other clip; and requests
                that lack what their task needs.
        """
        self.check_tasks(requests)
        copying = {
            TEXT_TO_MOTION: self._motions,
            MOTION_TO_TEXT: self._sentences,
            PREDICTION: self._completions,
            INBETWEEN: self._completions,
        }
        outputs: dict[int, Output] = {}
        for task, copy in copying.items():
            asked = [number for number, request in enumerate(requests) if request.task == task]
            if asked:
                found = copy([requests[number] for number in asked])
                outputs.update(zip(asked, found, strict=True))
        return [outputs[number] for number in range(len(requests))]

    def _motions(self, requests: Sequence[Request]) -> list[Output]:
        self._need_captions(TEXT_TO_MOTION)
        counts: dict[tuple[str, str], int] = {}
        for request in requests:
            key = (_text(request), request.clip)
            counts[key] = max(counts.get(key, 0), (request.sample or 0) + 1)
        ranked = {key: self._clips_of_words(*key, count) for key, count in counts.items()}
        outputs = []
        for request in requests:
            clips = ranked[_text(request), request.clip]
            nearest = int(clips[(request.sample or 0) % len(clips)])
            outputs.append(Output(motion=self._cut(nearest, request)))
        return outputs

    def _clips_of_words(self, text: str, name: str, count: int) -> np.ndarray:
        """Positions of the `count` clips with the nearest captions, nearest first."""
        memory = self.memory
        near = np.maximum.reduceat(memory.index.similarities(text), memory.first_captions)
        others = memory.captioned_clips != memory.position(name)
        clips, near = memory.captioned_clips[others], near[others]
        if not len(clips):
            raise UserError(f"{TEXT_TO_MOTION} of {name}: {_NO_OTHER}")
        count = min(count, len(clips))
        limit = np.partition(near, len(near) - count)[len(near) - count]
        best = np.flatnonzero(near >= limit)
        return np.asarray(clips[best[np.argsort(-near[best], kind="stable")]][:count])

    def _cut(self, clip: int, request: Request) -> np.ndarray:
        rows = self.memory.features(clip, stop=request.frames or request.max_frames)
        return held(rows, request.frames or len(rows), self.memory.store.skeleton)

    def _sentences(self, requests: Sequence[Request]) -> list[Output]:
        self._need_captions(MOTION_TO_TEXT)
        queries = [self._motion_query(request) for request in requests]
        found = nearest_motions(self.memory, queries)
        for request, nearest in zip(requests, found, strict=True):
            if not nearest.hits:
                raise UserError(f"{MOTION_TO_TEXT} of {request.clip}: {_NO_OTHER}")
        return [
            Output(text=self.memory.caption(nearest[request.sample or 0].clip))
            for request, nearest in zip(requests, found, strict=True)
        ]

    def _motion_query(self, request: Request) -> MotionQuery:
        width, motion = self.memory.store.n_features, request.motion
        if motion is None or motion.ndim != 2 or motion.shape[1] != width or not len(motion):
            shape = "none" if motion is None else f"shape {motion.shape}"
            raise UserError(
                f"{MOTION_TO_TEXT} of {request.clip}: motion of {shape}; expected features "
                f"(frames, {width})"
            )
        key = key_frames(self.memory.normalise(motion))
        return MotionQuery(key, self.memory.position(request.clip), (request.sample or 0) + 1)

    def _completions(self, requests: Sequence[Request]) -> list[Output]:
        completions = [Completion.of(request, self.memory) for request in requests]
        open_ones = [one for one in completions if one.query is not None]
        queries = [one.query for one in open_ones if one.query is not None]
        found = iter(nearest_windows(self.memory, queries, self.stride) if queries else ())
        outputs = []
        for one in completions:
            if one.query is None:
                outputs.append(Output(motion=np.concatenate([one.start, one.end])))
                continue
            hit = next(found)[one.request.sample or 0]
            outputs.append(Output(motion=one.motion(self.memory, hit.clip, hit.frame)))
        return outputs

    def _need_captions(self, task: str) -> None:
        if not len(self.memory.index):
            raise UserError(
                f"lookup cannot do {task}: the {SPLIT} split of {self.memory.store.name} has no "
                "captions; choose a data set that has"
            )


def _text(request: Request) -> str:
    if request.text is None:
        raise UserError(f"{TEXT_TO_MOTION} of {request.clip}: no text; say what the person does")
    return request.text
