"""How a trained MotionGPT is asked: decoding, prompts, and the deviations of the released code."""

from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from motiongpt.errors import UserError
from motiongpt.methods.base import (
    INBETWEEN,
    MOTION_TO_TEXT,
    PREDICTION,
    TASKS,
    TEXT_TO_MOTION,
)
from motiongpt.methods.motiongpt.generation.decoding import Decoding

Encoding = Literal["own", "padded"]
Wording = Literal["evaluation", "training"]


@dataclass(frozen=True)
class Options:
    """Of generation; what training decides is in `TaskMix`. Letters are those of the audit.

    Attributes:
        motion_decoding: of a motion of which no part is given.
        completion_decoding: of the rest of what is given.
        text_decoding: of sentences.
        encoding: of motions that are shown: each at its "own" length, or "padded" to the longest
            of its batch (A6).
        prompts: "trained", or "released": MotionGPT's test prompts (A4).
        outputs: how outputs are read and joined; see `TaskMix` (A7, A9, A10).
        wording: of several motions of one text: that of the "evaluation", or one of the "training"
            drawn anew for each (C4).
        length_in_prompt: whether a length that is asked for is also said in words.
    """

    motion_decoding: Decoding = field(default_factory=lambda: Decoding("sampling"))
    completion_decoding: Decoding = field(default_factory=lambda: Decoding("beams", num_beams=4))
    text_decoding: Decoding = field(default_factory=lambda: Decoding("greedy"))
    encoding: Encoding = "own"
    prompts: str = "trained"
    outputs: str = "right"
    wording: Wording = "evaluation"
    length_in_prompt: bool = False

    def __post_init__(self) -> None:
        for name, value, valid in (
            ("encoding", self.encoding, get_args(Encoding)),
            ("wording", self.wording, get_args(Wording)),
        ):
            if value not in valid:
                raise UserError(
                    f"protocol.motiongpt.{name}={value}: choose one of {', '.join(valid)}"
                )

    def decoding(self, task: str) -> Decoding:
        """How outputs of a task are decoded."""
        return {
            TEXT_TO_MOTION: self.motion_decoding,
            MOTION_TO_TEXT: self.text_decoding,
            PREDICTION: self.completion_decoding,
            INBETWEEN: self.completion_decoding,
        }[task]

    @property
    def repeatable(self) -> frozenset[str]:
        """Tasks whose outputs are the same whatever the seed."""
        return frozenset(task for task in TASKS if self.decoding(task).strategy != "sampling")

    def all_with(self, decoding: Decoding | None, precision: str | None) -> "Options":
        """The same with one decoding for everything, or in another precision; None keeps."""

        def changed(own: Decoding) -> Decoding:
            chosen = decoding or own
            return replace(chosen, precision=precision or chosen.precision)

        return replace(
            self,
            motion_decoding=changed(self.motion_decoding),
            completion_decoding=changed(self.completion_decoding),
            text_decoding=changed(self.text_decoding),
        )
