"""Which training example a clip becomes: task and template kind by weight, wording evenly."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np

from motiongpt.backbones.motion_vocabulary import MotionVocabulary
from motiongpt.errors import UserError
from motiongpt.methods.motiongpt.tasks.base import Task
from motiongpt.methods.motiongpt.tasks.clip_tokens import ClipTokens
from motiongpt.methods.motiongpt.tasks.example import Example
from motiongpt.methods.motiongpt.tasks.outputs import (
    OutputReader,
    ReleasedJoining,
    ReleasedParsing,
    ReleasedReader,
    RightReader,
)
from motiongpt.methods.motiongpt.tasks.placeholders import (
    Placeholders,
    ReleasedPlaceholders,
    RightPlaceholders,
)
from motiongpt.methods.motiongpt.tasks.templates import Templates

PLACEHOLDERS: Mapping[str, type[Placeholders]] = {
    "right": RightPlaceholders,
    "released": ReleasedPlaceholders,
}
READERS: Mapping[str, type[OutputReader]] = {
    "right": RightReader,
    "released": ReleasedReader,
    "released_parsing": ReleasedParsing,
    "released_joining": ReleasedJoining,
}
PROMPTS = ("trained", "released")


class MakeTask(Protocol):
    """A task class whose own options are bound, as Hydra's `_partial_` gives it."""

    def __call__(
        self,
        *,
        templates: Templates,
        placeholders: Placeholders,
        reader: OutputReader,
        prompts: Templates,
    ) -> Task:
        """Make the task."""
        ...


class TaskMix(Mapping[str, Task]):
    """The tasks of an experiment: a mapping name -> task that also draws training examples."""

    def __init__(
        self,
        codebook_size: int,
        tasks: Mapping[str, MakeTask] | None = None,
        templates: str | Path | None = None,
        placeholders: str = "right",
        quote_probability: float | None = None,
        minimum_tokens: int = 3,
        prompts: str = "trained",
        outputs: str = "right",
    ) -> None:
        """Make the tasks over one set of templates.

        Args:
            codebook_size: codes of the tokenizer.
            tasks: name -> task class with its own options bound.
            templates: JSON file in MotionGPT's format; None for the project's own.
            placeholders: "right", or "released" for the released code's way of filling them.
            quote_probability: of quotes around captions in training; None takes the way's own,
                0 for right and 0.5 for released.
            minimum_tokens: shorter clips are no training examples (three leave a token to fill
                between two that are given).
            prompts: "trained" tests with training templates, "released" with MotionGPT's test
                prompts, which it never trained on.
            outputs: "right"; "released_parsing" for the released code's way of reading outputs,
                "released_joining" for its way of joining them with what was given, "released"
                for both.

        Raises:
            UserError: an unknown choice, no task, or a fault of the templates.
        """
        if not tasks:
            raise UserError("tasks is empty; choose tasks=all or one of conf/tasks")
        vocabulary = MotionVocabulary(codebook_size)
        self.templates = Templates.read(templates)
        quotes = {} if quote_probability is None else {"quote_probability": quote_probability}
        fill = PLACEHOLDERS[_choice("tasks.placeholders", placeholders, tuple(PLACEHOLDERS))]
        self.placeholders: Placeholders = fill(vocabulary, **quotes)
        self.minimum_tokens = minimum_tokens
        self._makers = dict(tasks)
        self._tasks = self._made(prompts, outputs)
        if not any(task.weight for task in self.values()):
            raise UserError(f"all tasks have weight 0: {', '.join(self)}; give one a weight")

    def asked_with(self, prompts: str, outputs: str) -> TaskMix:
        """The same tasks with other test prompts, or outputs read in another way."""
        other = copy.copy(self)
        other._tasks = self._made(prompts, outputs)
        return other

    def _made(self, prompts: str, outputs: str) -> dict[str, Task]:
        trained = _choice("protocol.motiongpt.prompts", prompts, PROMPTS) == "trained"
        shown = self.templates if trained else Templates.packaged("released_prompts")
        read = READERS[_choice("protocol.motiongpt.outputs", outputs, tuple(READERS))]
        vocabulary = self.placeholders.vocabulary
        return {
            name: make(
                templates=self.templates,
                placeholders=self.placeholders,
                reader=read(vocabulary),
                prompts=shown,
            )
            for name, make in self._makers.items()
        }

    def __getitem__(self, name: str) -> Task:
        if name not in self._tasks:
            raise UserError(f"no task '{name}' in this experiment; it has {', '.join(self)}")
        return self._tasks[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)

    def __contains__(self, name: object) -> bool:
        return name in self._tasks

    def accepts(self, clip: ClipTokens) -> bool:
        """Whether a training example can be drawn for `clip`."""
        return clip.tokens >= self.minimum_tokens and bool(self._usable(clip))

    def example(self, clip: ClipTokens, rng: np.random.Generator) -> Example:
        """Draw one training example of `clip`.

        Raises:
            UserError: the clip is too short, or has no caption where every task needs one.
        """
        tasks = self._usable(clip)
        if clip.tokens < self.minimum_tokens or not tasks:
            raise UserError(
                f"clip {clip.name}: {clip.tokens} tokens and {len(clip.captions)} captions make no "
                f"training example; leave it out (at least {self.minimum_tokens} tokens)"
            )
        weights = np.array([task.weight for task in tasks])
        return tasks[int(rng.choice(len(tasks), p=weights / weights.sum()))].example(clip, rng)

    def _usable(self, clip: ClipTokens) -> list[Task]:
        return [task for task in self.values() if task.weight and task.usable(clip)]


def _choice(option: str, value: str, valid: tuple[str, ...]) -> str:
    if value not in valid:
        raise UserError(f"{option}={value} is unknown; choose one of {', '.join(valid)}")
    return value
