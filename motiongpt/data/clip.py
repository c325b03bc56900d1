"""What a motion source yields, and the protocol that all sources keep."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from motiongpt.errors import UserError
from motiongpt.motion.skeleton import Skeleton
from motiongpt.printable import printable

SPLITS = ("train", "val", "test")


@dataclass(frozen=True)
class Caption:
    """One sentence about a clip; `tokens` are its `word/TAG` tokens where the data set has them."""

    text: str
    tokens: str = ""


@dataclass(frozen=True)
class Clip:
    """One motion with its words: joints or ready features, never both.

    Attributes:
        name: unique within the source.
        split: "train", "val" or "test".
        captions: none where the data set says nothing about the clip.
        joints: (T + 1, J, 3) float32 metres at the source's frame rate, Y up; features are made
            of them and have T rows, because velocities need one frame more.
        features: (T, F) float32, as HumanML3D and KIT publish them.
        labels: names of the actions shown, in order of time; keys of the source's `action_words`.
    """

    name: str
    split: str
    captions: tuple[Caption, ...]
    joints: np.ndarray | None = None
    features: np.ndarray | None = None
    labels: tuple[str, ...] = ()


class SourceMissing(UserError):
    """The folder or archive of a source is not there."""


@dataclass(frozen=True)
class BadClip:
    """A clip that must not reach training: its name or file, and one line that says why.

    Both are shown and written to store.json, so what can't be is escaped.
    """

    name: str
    reason: str

    def __post_init__(self) -> None:
        for field in ("name", "reason"):
            object.__setattr__(self, field, printable(getattr(self, field)))


@runtime_checkable
class MotionSource(Protocol):
    """Where clips come from. Built by Hydra from one yaml of `conf/data`.

    Attributes:
        skeleton: the skeleton of the joints or features.
        fps: frames per second of what `clips` yields.
        action_words: label -> regular expressions; a caption names the action when one of them
            matches it (lower case). Empty where clips carry no labels.
        expected_counts: clips per split that the data set is known to have, if known.
    """

    skeleton: Skeleton
    fps: float
    action_words: Mapping[str, tuple[str, ...]]
    expected_counts: Mapping[str, int]

    def __len__(self) -> int:
        """How many clips and bad clips `clips` will yield, for progress; may be an estimate."""
        ...

    def clips(self) -> Iterator[Clip | BadClip]:
        """Yield every clip in a fixed order; the same arguments always give the same content."""
        ...


@runtime_checkable
class Warns(Protocol):
    """A source that has seen odd things when all of its clips have gone by.

    Attributes:
        warnings: one line each, with the option that mends it.
    """

    warnings: tuple[str, ...]


def warnings_of(source: MotionSource) -> tuple[str, ...]:
    """What a source has to say once its clips have gone by."""
    return source.warnings if isinstance(source, Warns) else ()
