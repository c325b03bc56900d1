"""How clips are put to a model: which caption, whose length, how it is written, how often."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from evaluation.metrics.base import Kind
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.generation.decoding import Decoding
from motiongpt.methods.motiongpt.generation.model import Request
from motiongpt.methods.motiongpt.tasks.base import Task
from motiongpt.methods.motiongpt.tasks.clip_tokens import ClipTokens

CaptionChoice = Literal["first", "random"]
Length = Literal["own", "given"]
Wording = Literal["evaluation", "training"]
WAYS: Mapping[Kind, str] = {
    "motion": "motion",
    "samples": "motion",
    "continuation": "completion",
    "bridge": "completion",
    "text": "text",
}
"""Which decoding of the protocol writes which kind of answer."""


@dataclass(frozen=True)
class Asking:
    """The generation half of a protocol.

    Attributes:
        caption: which of a clip's captions asks for a motion: its first, or one drawn anew for
            each replication (as T2M's evaluation does).
        length: of a motion of which no part is given: "own" (the model ends it) or "given" (that
            of the real clip). Where a part is given, the length is given too.
        decodings: by way, see `WAYS`.
        sample_wording: prompts of several motions of one text: "evaluation", or "training" for a
            wording drawn anew for each (C4 of the audit).
        seed: of the first replication; the next ones have the next seeds.
    """

    caption: CaptionChoice
    length: Length
    decodings: Mapping[str, Decoding]
    sample_wording: Wording
    seed: int

    def __post_init__(self) -> None:
        for name, value, valid in (
            ("caption", self.caption, get_args(CaptionChoice)),
            ("length", self.length, get_args(Length)),
            ("multimodality.wording", self.sample_wording, get_args(Wording)),
        ):
            if value not in valid:
                raise UserError(
                    f"protocol.generation.{name}={value}: choose one of {', '.join(valid)}"
                )

    def decoding(self, kind: Kind) -> Decoding:
        """How answers of a kind are written."""
        return self.decodings[WAYS[kind]]

    def varies(self, kind: Kind) -> bool:
        """Whether two replications can differ."""
        asked_anew = kind in ("motion", "samples") and self.caption == "random"
        return self.decoding(kind).strategy == "sampling" or asked_anew

    def captions(self, clips: Sequence[ClipTokens], kind: Kind, replication: int) -> list[int]:
        """Place of the caption that each clip is asked with; -1 where none asks."""
        if kind not in ("motion", "samples"):
            return [-1] * len(clips)
        draw = np.random.default_rng([self.seed, replication])
        places = [int(draw.integers(max(1, len(clip.captions)))) for clip in clips]
        if self.caption == "first":
            places = [0] * len(clips)
        return [place if clip.captions else -1 for place, clip in zip(places, clips, strict=True)]

    def request(
        self, task: Task, clip: ClipTokens, caption: int, draw: np.random.Generator | None = None
    ) -> Request:
        """One question about a clip.

        Args:
            caption: its place among the clip's, -1 for none.
            draw: chooses the wording where `sample_wording` says so; None for the evaluation's.
        """
        known = self.length == "given" or len(task.given(clip)) > 0
        words = clip.captions[caption] if caption >= 0 else None
        wording = None
        if draw is not None and self.sample_wording == "training":
            wordings = task.wordings(clip, words)
            wording = wordings[int(draw.integers(len(wordings)))] if wordings else None
        tokens = task.reply_tokens(clip) if known else None
        return Request(task, clip, words, tokens=tokens, wording=wording)


def kind_of(task: Task, clip: ClipTokens) -> Kind:
    """What a task's answers are, seen from one clip that it can be asked of."""
    if task.output == "text":
        return "text"
    query = task.query(clip)
    if query.end is not None and len(query.end):
        return "bridge"
    return "continuation" if len(task.given(clip)) else "motion"
