"""A trained motion-language model as one thing: requests of any task in, answers out."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from motiongpt.backbones.base import Backbone
from motiongpt.backbones.loading import load_backbone
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.methods.motiongpt.generation.decoding import Decoding
from motiongpt.methods.motiongpt.generation.generate import FREE_TOKENS, generate
from motiongpt.methods.motiongpt.tasks.base import Task
from motiongpt.methods.motiongpt.tasks.clip_tokens import ClipTokens, Codes
from motiongpt.methods.motiongpt.tasks.query import Query


@dataclass(frozen=True)
class Request:
    """One thing to be answered.

    Attributes:
        task: what is asked.
        asked: a tokenised clip, of which the task takes what may be known, or a ready query.
        caption: words to use instead of the clip's first caption.
        with_length: say the length in the prompt where the task can.
        tokens: exact number of motion tokens to write, or None where the model ends by itself.
        wording: of the prompt, one of the task's `wordings`; None for the evaluation prompt.
    """

    task: Task
    asked: ClipTokens | Query
    caption: str | None = None
    with_length: bool = False
    tokens: int | None = None
    wording: str | None = None

    @property
    def prompt(self) -> str:
        """What the model reads."""
        return self.task.prompt(self.asked, self.caption, self.with_length, self.wording)


@dataclass(frozen=True)
class Answer:
    """What came back.

    Attributes:
        prompt: what the model read.
        reply: what it wrote, as it wrote it.
        text: the sentence, empty where a motion was asked for.
        codes: (L,) of the whole motion, given parts in their place; empty for a sentence.
    """

    prompt: str
    reply: str
    text: str
    codes: Codes


class MotionLanguageModel:
    """A tokenizer and a backbone that were trained for each other."""

    def __init__(self, tokenizer: TrainedTokenizer, backbone: Backbone) -> None:
        self.tokenizer, self.backbone = tokenizer, backbone

    @classmethod
    def load(
        cls,
        tokenizer_folder: Path,
        backbone_folder: Path,
        device: str | torch.device = "cpu",
    ) -> "MotionLanguageModel":
        """Open what the tokenizer stage and a language stage left, on a device.

        Raises:
            UserError: nothing there, or a backbone of another codebook size.
        """
        tokenizer = TrainedTokenizer.load(tokenizer_folder, device=device)
        backbone = load_backbone(backbone_folder, tokenizer.codebook_size)
        return cls(tokenizer, backbone.to(device))

    def answer(
        self,
        requests: Sequence[Request],
        decoding: Decoding,
        seed: int,
        max_motion_tokens: int = FREE_TOKENS,
    ) -> list[Answer]:
        """Answer all requests, of whatever tasks, in one batched call.

        Raises:
            UserError: a request that its task can't make a prompt of.
        """
        prompts = [one.prompt for one in requests]
        replies = generate(
            self.backbone,
            prompts,
            [one.task.output for one in requests],
            decoding,
            [one.tokens if one.task.output == "motion" else None for one in requests],
            seed,
            max_motion_tokens=max_motion_tokens,
        )
        return [_read(*parts) for parts in zip(requests, prompts, replies, strict=True)]

    def motions(self, answers: Sequence[Answer]) -> list[np.ndarray]:
        """Features (T, F) of each answer's motion, not normalised.

        An answer without any code gives no frames: (0, F).
        """
        written = [index for index, answer in enumerate(answers) if len(answer.codes)]
        empty = np.zeros((0, self.tokenizer.n_features), np.float32)
        motions = [empty] * len(answers)
        for index, motion in zip(
            written, self.tokenizer.decode([answers[index].codes for index in written]), strict=True
        ):
            motions[index] = motion
        return motions


def _read(request: Request, prompt: str, reply: str) -> Answer:
    task = request.task
    if task.output == "text":
        return Answer(prompt, reply, str(task.parse(reply)), np.zeros(0, np.int64))
    return Answer(prompt, reply, "", task.compose(task.codes(reply), request.asked))
