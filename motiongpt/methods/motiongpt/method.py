"""MotionGPT as a method (arXiv:2306.14795): requests become prompts, outputs become motion.

Shape letters: T frames, F features, L tokens.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from motiongpt.backbones.base import Backbone
from motiongpt.backbones.initialisation import embedding_rows
from motiongpt.backbones.loading import load_merged_backbone
from motiongpt.codecs.trained import TrainedTokenizer
from motiongpt.errors import UserError
from motiongpt.methods.base import (
    MOTION_TO_TEXT,
    TASKS,
    TEXT_TO_MOTION,
    Attended,
    Foreseen,
    Method,
    MotionFormat,
    Output,
    Request,
    part_folder,
)
from motiongpt.methods.motiongpt import tasks as task_modules
from motiongpt.methods.motiongpt.attended import by_words
from motiongpt.methods.motiongpt.generation.decoding import FREE_TOKENS, Decoding
from motiongpt.methods.motiongpt.generation.precision import fastest_precision
from motiongpt.methods.motiongpt.options import Options
from motiongpt.methods.motiongpt.released import SeenWhole, encode_padded
from motiongpt.methods.motiongpt.rounding import Format, Rounded
from motiongpt.methods.motiongpt.tasks.base import Task
from motiongpt.methods.motiongpt.tasks.clip_tokens import Codes
from motiongpt.methods.motiongpt.tasks.task_mix import TaskMix
from motiongpt.registry import classes_in
from motiongpt.sampling.rng import generator_of

CODEC, LANGUAGE_MODEL, TEMPLATES = "codec", "language_model", "templates"
MARKS = 3  # start and end of a motion, end of text


@dataclass(frozen=True)
class Prompted:
    """A request as the language model reads it.

    Attributes:
        rounded: the request in tokens.
        task: that makes the prompt and reads the output.
        wording: of the prompt; None takes the task's own.
        with_length: whether the prompt says the length that is asked for.
    """

    rounded: Rounded
    task: Task
    wording: str | None = None
    with_length: bool = False

    @property
    def prompt(self) -> str:
        """What the model reads."""
        return self.task.prompt(self.rounded.query, self.wording, self.with_length)

    @property
    def tokens(self) -> int | None:
        """Exact number of motion tokens to generate, or None where the model ends by itself.

        Where a length was asked for it is known, and so it is where a part is given.
        """
        return self.task.output_tokens(self.rounded.query)


class MotionGPTMethod(Method):
    """A codec and a backbone that were trained for each other, and the tasks that they learnt.

    Args:
        codec: the motion tokenizer.
        backbone: the language model.
        format: of the motions.
        mix: the tasks; None takes all, with the project's own templates.
        options: how it is asked.

    Raises:
        UserError: a backbone of another codebook.
    """

    name = "motiongpt"
    options_type = Options
    all_tasks = frozenset(TASKS)

    def __init__(
        self,
        codec: TrainedTokenizer,
        backbone: Backbone,
        format: MotionFormat,
        mix: TaskMix | None = None,
        options: Options | None = None,
    ) -> None:
        self.codec, self.backbone = codec, backbone
        self.options = options or Options()
        self.mix = (mix or all_tasks(codec.codebook_size)).asked_with(
            self.options.prompts, self.options.outputs
        )
        self.tasks = frozenset(self.mix)
        self.format = Format(codec.frames_per_token, format.fps, format.skeleton)
        self.most_tokens = backbone.max_target_tokens - MARKS
        self.longest = self.most_tokens * codec.frames_per_token
        self.repeatable = self.tasks & self.options.repeatable

    @classmethod
    def foresee(cls, mix: TaskMix | None = None, **options: Any) -> Foreseen:
        """See `Method.foresee`."""
        chosen = cls.chosen(**options)
        if mix is not None:
            mix.asked_with(chosen.prompts, chosen.outputs)
        tasks = cls.all_tasks if mix is None else frozenset(mix)
        return Foreseen(tasks, tasks & chosen.repeatable)

    @classmethod
    def load(
        cls,
        folders: Mapping[str, Path],
        format: MotionFormat,
        device: str | torch.device = "cpu",
        **options: Any,
    ) -> Self:
        """See `Method.load`; parts "codec" and "language_model".

        Args:
            options: `mix` and the fields of `Options`.
        """
        mix = options.pop("mix", None)
        cls.foresee(mix, **options)
        n_features = format.skeleton.n_features
        codec = TrainedTokenizer.load(
            part_folder(folders, CODEC, cls.name), n_features=n_features, device=device
        )
        folder = part_folder(folders, LANGUAGE_MODEL, cls.name)
        backbone = load_merged_backbone(folder, codec.codebook_size).to(device).eval()
        if mix is None and TEMPLATES in folders:
            mix = all_tasks(codec.codebook_size, folders[TEMPLATES])
        return cls(codec, backbone, format, mix, cls.chosen(**options))

    def generate(self, requests: Sequence[Request], seed: int) -> list[Output]:
        """See `Method.generate`.

        Raises:
            UserError: a task that it did not learn, or a request that no prompt can be made of.
        """
        self.check_tasks(requests)
        return self.generate_prompted(self.prompted(requests, seed), seed)

    def attended(self, text: str, seed: int) -> Attended | None:
        """See `Method.attended`: by the cross-attention of a T5, a mean over layers and heads."""
        request = Request("", TEXT_TO_MOTION, text)
        self.check_tasks([request])
        (one,) = self.prompted([request], seed)
        (string,) = self._strings([one], self.options.decoding(TEXT_TO_MOTION), seed)
        weights = self.backbone.cross_attention(one.prompt, string)
        if weights is None:
            return None
        return by_words(self.backbone, one.prompt, string, weights.cpu().numpy())

    def prompted(self, requests: Sequence[Request], seed: int = 0) -> list[Prompted]:
        """What the language model will read, all motion encoded in one call."""
        found = [
            Prompted(
                self.rounded(request),
                self.mix[request.task],
                with_length=self.options.length_in_prompt,
            )
            for request in requests
        ]
        self.encode([one.rounded for one in found])
        if self.options.wording == "evaluation":
            return found
        return [self._reworded(one, seed) for one in found]

    def rounded(self, request: Request) -> Rounded:
        """A request in tokens, not yet encoded."""
        rounded = Rounded(request, self.format)
        seen = rounded.is_completion and request.motion is not None
        return SeenWhole(request, self.format) if seen else rounded

    def encode(self, requests: Sequence[Rounded]) -> None:
        """Give each its codes, all in one call of the codec."""
        parts = [one.parts() for one in requests]
        clips = [part for some in parts for part in some]
        codes = iter(self.encoded(clips, [one.request for one in requests]))
        for one, some in zip(requests, parts, strict=True):
            one.take([next(codes) for _ in some])

    def encoded(self, clips: Sequence[np.ndarray], requests: Sequence[Request] = ()) -> list[Codes]:
        """Codes of each clip of features (T, F), all in one call."""
        if not clips:
            return []
        if self.options.encoding == "own":
            return self.codec.encode(clips)
        described = all(one.task == MOTION_TO_TEXT for one in requests)
        return encode_padded(self.codec, clips, shown=described)

    def generate_prompted(
        self, prompted: Sequence[Prompted], seed: int, decoding: Decoding | None = None
    ) -> list[Output]:
        """Outputs to prompts; those that are decoded alike in one batched call.

        Args:
            decoding: of all; None takes that of each one's task.
        """
        ways: dict[Decoding, list[int]] = {}
        for index, one in enumerate(prompted):
            way = decoding or self.options.decoding(one.rounded.request.task)
            ways.setdefault(way, []).append(index)
        strings: dict[int, str] = {}
        for way, indices in ways.items():
            some = [prompted[index] for index in indices]
            strings.update(zip(indices, self._strings(some, way, seed), strict=True))
        return self._outputs(prompted, [strings[index] for index in range(len(prompted))])

    def check_room(self, prompted: Prompted, what: str) -> None:
        """Refuse a prompt that is longer than the model reads, instead of cutting it.

        Raises:
            UserError: says how long it is.
        """
        row = self.backbone.text_tokenizer(prompted.prompt, add_special_tokens=False, verbose=False)
        found, most = len(row["input_ids"]), self.backbone.max_input_tokens - 1
        if found > most:
            raise UserError(
                f"{what}: {found} tokens of words and motion, the model reads {most}; one token of "
                f"motion is {self.format.rate} frames: cut it"
            )

    def fastest(self) -> str:
        """The faster precision of this model on its device."""
        width = embedding_rows(self.backbone.language_model).shape[1]
        return fastest_precision(self.backbone.device, width)

    def _strings(self, prompted: Sequence[Prompted], decoding: Decoding, seed: int) -> list[str]:
        # Its constraints are transformers': seconds to import, and a plan builds methods too.
        from motiongpt.methods.motiongpt.generation.generate import generate

        limits = [one.rounded.request.max_frames for one in prompted]
        known = [limit // self.format.rate for limit in limits if limit is not None]
        return generate(
            self.backbone,
            [one.prompt for one in prompted],
            [one.task.output for one in prompted],
            decoding,
            [one.tokens if one.task.output == "motion" else None for one in prompted],
            seed,
            [one.rounded.request.key for one in prompted],
            max(1, min(known)) if known else min(FREE_TOKENS, self.most_tokens),
        )

    def _outputs(self, prompted: Sequence[Prompted], strings: Sequence[str]) -> list[Output]:
        codes = [
            one.task.compose(one.task.codes(string), one.rounded.query)
            if one.task.output == "motion"
            else np.zeros(0, np.int64)
            for one, string in zip(prompted, strings, strict=True)
        ]
        moving = [index for index, row in enumerate(codes) if len(row)]
        decoded = dict(
            zip(moving, self.codec.decode([codes[index] for index in moving]), strict=True)
        )
        return [
            self._output(one, strings[index], decoded.get(index))
            for index, one in enumerate(prompted)
        ]

    def _output(self, one: Prompted, string: str, decoded: np.ndarray | None) -> Output:
        if one.task.output == "text":
            return Output(text=" ".join(string.split()), prompt=one.prompt, raw=string)
        if decoded is None:
            motion = np.zeros((0, self.codec.n_features), np.float32)
        elif one.task.reader.joins or not one.rounded.is_completion:
            motion = one.rounded.motion(decoded)
        else:
            motion = decoded
        return Output(motion=motion, prompt=one.prompt, raw=string)

    def _reworded(self, one: Prompted, seed: int) -> Prompted:
        """One of the training's wordings, where several motions of one text are asked for (C4)."""
        wordings = one.task.wordings(one.rounded.query)
        if one.rounded.request.sample is None or not wordings:
            return one
        draw = generator_of(seed, one.rounded.request.key)
        return Prompted(one.rounded, one.task, wordings[int(draw.integers(len(wordings)))])


def all_tasks(codebook_size: int, templates: str | Path | None = None) -> TaskMix:
    """Every task of `motiongpt.methods.motiongpt.tasks`, over one file of templates."""
    found = classes_in(task_modules, Task)
    makers: dict[str, Any] = {task.name: task for task in found.values()}
    return TaskMix(codebook_size, makers, templates)
