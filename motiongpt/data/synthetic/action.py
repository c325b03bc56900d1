"""What an action is, and the discovery of all actions in the folder `actions`.

A new action is one new file in `actions`: a subclass of `Action` with its own parameters, its
own pose program and its own phrases. Nothing else has to be edited.
"""

import importlib
import pkgutil
from abc import ABC, abstractmethod
from typing import ClassVar, Generic, TypeVar

import numpy as np

from motiongpt.data.synthetic import actions as folder
from motiongpt.data.synthetic.performer import Performer
from motiongpt.data.synthetic.pose import Pose
from motiongpt.data.synthetic.words import Words

P = TypeVar("P")
C = TypeVar("C")
SIDES = ("left", "right")
SPEEDS = ("slow", "normal", "fast")


class Action(ABC, Generic[P]):
    """One thing a person can do; `P` is its own frozen dataclass of parameters.

    Attributes:
        name: the clip's label.
        words: regular expressions for lower-case captions: one of them matches every caption of
            this action, none matches a caption of another action alone.
    """

    name: ClassVar[str]
    words: ClassVar[tuple[str, ...]]

    @abstractmethod
    def draw(self, rng: np.random.Generator) -> P:
        """Draw parameters."""

    @abstractmethod
    def perform(self, parameters: P, performer: Performer, rng: np.random.Generator) -> Pose:
        """The motion: starts as `pose.standing`, and ends so unless `ends_standing` says not."""

    @abstractmethod
    def phrases(self, parameters: P, words: Words) -> tuple[str, ...]:
        """At least two true phrases (see `words`) for the same parameters."""

    def ends_standing(self, parameters: P) -> bool:
        """Whether another action can follow."""
        return True


def discover() -> dict[str, Action]:
    """All actions by name, in alphabetical order of their files."""
    found: dict[str, Action] = {}
    for module in sorted(info.name for info in pkgutil.iter_modules(folder.__path__)):
        members = vars(importlib.import_module(f"{folder.__name__}.{module}")).values()
        for member in members:
            if isinstance(member, type) and issubclass(member, Action) and "name" in vars(member):
                found[member.name] = member()
    return found


def one_of(rng: np.random.Generator, choices: tuple[C, ...]) -> C:
    """One of the choices as the object itself, not as a numpy value."""
    return choices[int(rng.integers(len(choices)))]
