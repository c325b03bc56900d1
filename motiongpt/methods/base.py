"""What a method is: requests in frames and words in, outputs in features or sentences out.

Shape letters: T frames, F features. Features are in their own units, never normalised.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np

from motiongpt.errors import UserError
from motiongpt.motion.skeleton import Skeleton
from motiongpt.sampling.keys import row_key

if TYPE_CHECKING:
    import torch

TEXT_TO_MOTION, MOTION_TO_TEXT = "text_to_motion", "motion_to_text"
PREDICTION, INBETWEEN = "prediction", "inbetween"
TASKS = (TEXT_TO_MOTION, MOTION_TO_TEXT, PREDICTION, INBETWEEN)


@dataclass(frozen=True)
class Request:
    """One clip put to a method; it knows no token.

    Attributes:
        clip: name of the clip, or of whoever asks.
        task: one of `TASKS`.
        text: the caption that asks; None where words play no part.
        frames: T, length of the whole motion that is asked for, given frames included; None lets
            the method end.
        start: (S, F) frames that are given at the start.
        end: (E, F) frames that are given at the end.
        motion: (T, F) the motion to be described; for completions only under a protocol that shows
            the whole clip (A8 of the audit).
        max_frames: where `frames` is None, a motion ends here at the latest; None for the method's
            own limit.
        sample: number of this request among several of the same words; None where it is alone.
        place: (2,) metres, x and z of the root at the first of the end frames, seen from the first
            frame of all; None lets the motion lead there.
        heading: of the same frame, radians as features accumulate them (half the turn).
    """

    clip: str
    task: str
    text: str | None = None
    frames: int | None = None
    start: np.ndarray | None = None
    end: np.ndarray | None = None
    motion: np.ndarray | None = None
    max_frames: int | None = None
    sample: int | None = None
    place: np.ndarray | None = None
    heading: float | None = None

    @property
    def key(self) -> int:
        """Of its stream of random numbers: by what is asked, not by what else is."""
        return row_key(self.clip, self.task, self.text, self.sample)


@dataclass(frozen=True)
class Output:
    """What a method gives for one request.

    Attributes:
        motion: (T, F) float32 the whole motion, given frames in their place; (0, F) or None where
            the method made none.
        text: the sentence; empty for a motion.
        prompt: what a language model read, for the record; empty for other methods.
        raw: what it generated, as it generated it; empty for other methods.
    """

    motion: np.ndarray | None = None
    text: str = ""
    prompt: str = ""
    raw: str = ""


class Attended(NamedTuple):
    """Which words a method read while it generated codes.

    Attributes:
        words: of all that it read, W; the last one stands for the end.
        codes: (L,) int64, generated.
        weights: (L, W) float32; each row sums to 1.
    """

    words: list[str]
    codes: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class MotionFormat:
    """What the motions of a method are: frames per second, and whose joints."""

    fps: float
    skeleton: Skeleton


@dataclass(frozen=True)
class NoOptions:
    """Of a method that has no choice in how it generates."""


class Foreseen(NamedTuple):
    """What a method will be once it is trained: its `tasks`, and which are `repeatable`."""

    tasks: frozenset[str]
    repeatable: frozenset[str]


class Method(ABC):
    """A trained model of one kind, ready to be asked; a new one is a new folder beside this file.

    Class attributes:
        name: of its folder and of its yaml in conf/method.
        all_tasks: what a method of this kind can learn.
        copies_clips: whether its parts give back clips of the data, whose licence then holds.
        options_type: dataclass of how it generates; its fields are the options of `load`.

    Attributes:
        tasks: what it can be asked, of `all_tasks`; requests of others are refused by name.
        shortest: frames of the shortest motion that it can be asked for or shown.
        longest: frames of the longest motion that it can generate; None for any length.
        repeatable: tasks whose outputs are the same whatever the seed.
    """

    name: ClassVar[str]
    all_tasks: ClassVar[frozenset[str]]
    copies_clips: ClassVar[bool] = False
    options_type: ClassVar[type[Any]] = NoOptions
    tasks: frozenset[str]
    shortest: int = 1
    longest: int | None = None
    repeatable: frozenset[str] = frozenset()

    @classmethod
    @abstractmethod
    def load(
        cls,
        folders: Mapping[str, Path],
        format: MotionFormat,
        device: "str | torch.device" = "cpu",
        **options: Any,
    ) -> Self:
        """Open the parts of a trained method.

        Args:
            folders: part -> folder, as conf/method/NAME.yaml lists under `method.parts`; a model
                folder has them side by side.
            format: of the motions that it was trained on.
            options: how it generates; each has a default.

        Raises:
            UserError: a part is missing, damaged, or belongs to another one's codec.
        """

    @classmethod
    def foresee(cls, **options: Any) -> Foreseen:
        """Check the options of `load` before there is anything to load.

        Raises:
            UserError: an option that there is not, or a value that makes no sense.
        """
        cls.chosen(**options)
        return Foreseen(cls.all_tasks, cls.repeatable)

    @classmethod
    def chosen(cls, **options: Any) -> Any:
        """An `options_type` of these options.

        Raises:
            UserError: an option that there is not, or a value that makes no sense.
        """
        check_options(cls.name, options, (field.name for field in fields(cls.options_type)))
        return cls.options_type(**options)

    @abstractmethod
    def generate(self, requests: Sequence[Request], seed: int) -> list[Output]:
        """Outputs to all requests, in one batched call.

        The same seed gives the same outputs, whatever else is in the batch.

        Raises:
            UserError: a task that this method cannot do.
        """

    def attended(self, text: str, seed: int) -> Attended | None:
        """A motion of a sentence, as codes, and which words each of them read.

        None for methods that have no attention from codes to words.

        Raises:
            UserError: this model was not trained to make motion of words.
        """
        return None

    def check_tasks(self, requests: Sequence[Request]) -> None:
        """Refuse requests of tasks that this method cannot do.

        Raises:
            UserError: names the task and those that it can do.
        """
        for request in requests:
            if request.task not in self.tasks:
                raise UserError(cannot(self.name, request.task, self.tasks))


def check_options(name: str, options: Mapping[str, Any], known: Iterable[str]) -> None:
    """Refuse options of `Method.load` that a method does not have.

    Raises:
        UserError: an unknown one; lists the known ones.
    """
    known = tuple(known)
    unknown = [option for option in options if option not in known]
    if unknown:
        raise UserError(f"method {name} has no option {unknown[0]}; it has: {', '.join(known)}")


def cannot(name: str, task: str, tasks: frozenset[str]) -> str:
    """One line that says what a method can do instead."""
    able = ", ".join(task for task in TASKS if task in tasks)
    return f"method {name} cannot do {task}; it can: {able or 'reconstruction only'}"


def part_folder(folders: Mapping[str, Path], part: str, method: str) -> Path:
    """Folder of one part.

    Raises:
        UserError: the method has no such part here.
    """
    if part not in folders:
        raise UserError(
            f"method {method} needs its part '{part}'; found {', '.join(folders) or 'none'}: open "
            "a folder of this method"
        )
    return Path(folders[part])
